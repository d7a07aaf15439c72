/** What a file is, by the name of a file that we built or by the first bytes of one that we did not. */
import { extname } from 'node:path'

const BY_EXTENSION: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.ico': 'image/x-icon',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.map': 'application/json',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.ttf': 'font/ttf',
  '.wasm': 'application/wasm',
  '.webp': 'image/webp',
  '.woff': 'font/woff',
  '.woff2': 'font/woff2',
}

/** Media type of a file of the page; undefined for a kind that the page has none of. */
export function pageMediaType(file: string): string | undefined {
  return BY_EXTENSION[extname(file).toLowerCase()]
}

const SIGNATURES: readonly (readonly [type: string, bytes: readonly number[]])[] = [
  ['image/png', [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]],
  ['image/jpeg', [0xff, 0xd8, 0xff]],
  ['application/zip', [0x50, 0x4b, 0x03, 0x04]],
]

/**
 * Media type of an artifact, whose contents may come from anybody: pictures are told by their signature, everything else is
 * bytes. Nothing that a browser would execute is ever among them.
 */
export function artifactMediaType(head: Uint8Array): string {
  const known = SIGNATURES.find(([, bytes]) => bytes.every((byte, index) => head[index] === byte))
  return known?.[0] ?? 'application/octet-stream'
}

/** A header that makes the browser save the answer as `name`, which is cut and cleaned first. */
export function contentDisposition(name: string): string {
  const clean = downloadName(name)
  const plain = clean.replaceAll(/[^\w.() -]/g, '_')
  const encoded = encodeURIComponent(clean).replaceAll(/['()*]/g, (mark) => `%${mark.charCodeAt(0).toString(16)}`)
  return `attachment; filename="${plain}"; filename*=UTF-8''${encoded}`
}

/** No folders, no control characters, nothing that a system forbids in a name; 120 characters at most, the end kept. */
export function downloadName(name: string): string {
  const allowed = name
    .toWellFormed()
    .normalize('NFC')
    .replaceAll(/[\p{Cc}\p{Cf}<>:"/\\|?*]/gu, '_')
    .replace(/^[.\s]+/, '')
    .replace(/[.\s]+$/, '')
  return [...allowed].slice(-120).join('') || 'download'
}
