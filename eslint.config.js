import { defineConfig, globalIgnores } from 'eslint/config'
import vue from 'eslint-plugin-vue'
import typescript from 'typescript-eslint'
import { importDirections } from './eslint.boundaries.js'

const tests = ['**/*.test.ts', 'tests/**/*.ts']

/** A relative import must name its file with the extension: Node runs the sources as they are. */
const extensionlessImport = {
  regex: '^\\.{1,2}(/(?!.*\\.(ts|vue|css|json|js|mjs|cjs|svg|png|webp|wasm|woff2)(\\?\\w+)?$).*)?$',
  message: 'Write the file extension: Node runs the sources directly.',
}
const electron = {
  name: 'electron',
  message: 'Only the Electron entry, src/main/electron and the preload know Electron.',
}
const elementPlus = { regex: '^element-plus(/|$)', message: 'Only src/renderer/ui knows the component library.' }

export default defineConfig(
  globalIgnores(['out/', 'dist/', 'coverage/', 'test-results/', 'playwright-report/', 'resources/', '**/*.d.ts']),
  // Bundlers write these beside their configuration for a moment, and the build runs beside lint.
  globalIgnores(['*.config.ts.*.mjs']),
  {
    // Rules are changed here, where everyone sees them, not by comments in the code.
    linterOptions: { noInlineConfig: true },
  },
  {
    files: ['**/*.{ts,vue}'],
    extends: [typescript.configs.strict, typescript.configs.stylistic],
    rules: {
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'separate-type-imports' }],
      '@typescript-eslint/consistent-type-definitions': 'off',
      '@typescript-eslint/consistent-indexed-object-style': 'off',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
    },
  },
  {
    files: ['**/*.vue'],
    extends: [vue.configs['flat/recommended']],
    languageOptions: { parserOptions: { parser: typescript.parser, sourceType: 'module' } },
    rules: {
      // Layout belongs to prettier.
      'vue/html-indent': 'off',
      'vue/html-self-closing': 'off',
      'vue/html-closing-bracket-newline': 'off',
      'vue/max-attributes-per-line': 'off',
      'vue/multiline-html-element-content-newline': 'off',
      'vue/singleline-html-element-content-newline': 'off',
      'vue/multi-word-component-names': 'off',
      // An optional property of the type is optional; undefined is its default.
      'vue/require-default-prop': 'off',
      'vue/block-lang': ['error', { script: { lang: 'ts' } }],
      'vue/component-api-style': ['error', ['script-setup']],
      'vue/no-v-html': 'error',
    },
  },
  {
    files: ['**/*.{js,mjs}'],
    languageOptions: { globals: nodeGlobals() },
    rules: { 'no-undef': 'error', 'no-unused-vars': 'error' },
  },
  {
    rules: {
      'no-console': 'error',
      eqeqeq: ['error', 'always'],
      'prefer-const': 'error',
      'no-var': 'error',
      'no-eval': 'error',
      'no-implied-eval': 'error',
      'no-debugger': 'error',
      'no-empty': 'error',
      'no-fallthrough': 'error',
      'no-self-compare': 'error',
      'no-unreachable': 'error',
      'no-unsafe-finally': 'error',
      'no-unused-private-class-members': 'error',
      'no-useless-catch': 'error',
      'no-useless-escape': 'error',
      'no-constant-condition': ['error', { checkLoops: 'none' }],
      'no-async-promise-executor': 'error',
      'no-template-curly-in-string': 'error',
      'object-shorthand': 'error',
      'require-yield': 'error',
      'use-isnan': 'error',
      'no-restricted-imports': ['error', { paths: [electron], patterns: [extensionlessImport, elementPlus] }],
    },
  },
  {
    files: ['src/**/*.{ts,vue}', 'scripts/**/*.mjs', 'bin/**/*.mjs'],
    ignores: tests,
    rules: { 'max-lines': ['error', { max: 300 }] },
  },
  {
    files: [
      'src/main/index.ts',
      'src/main/index.test.ts',
      'src/main/electron/**/*.ts',
      'src/preload/**/*.ts',
      'e2e/targets/**/*.ts',
    ],
    rules: { 'no-restricted-imports': ['error', { patterns: [extensionlessImport, elementPlus] }] },
  },
  {
    files: ['src/renderer/ui/**/*.{ts,vue}'],
    rules: { 'no-restricted-imports': ['error', { paths: [electron], patterns: [extensionlessImport] }] },
  },
  {
    files: ['scripts/**', 'bin/**', 'e2e/**', 'bench/**', '*.config.ts'],
    rules: { 'no-console': 'off' },
  },
  {
    files: tests,
    rules: { '@typescript-eslint/no-non-null-assertion': 'off' },
  },
  importDirections({ tests }),
)

/** Globals of Node that plain JavaScript files may use. */
function nodeGlobals() {
  const names = ['process', 'console', 'Buffer', 'URL', 'AbortController', 'AbortSignal', 'fetch', 'structuredClone']
  const timers = ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'setImmediate', 'queueMicrotask']
  return Object.fromEntries(
    [...names, ...timers, 'performance', 'TextDecoder', 'TextEncoder'].map((name) => [name, 'readonly']),
  )
}
