/** What every answer carries, from the HTTP server and from `app://` alike. */
import { CAMERA_PAGE } from '../../shared/page-areas.ts'

/** Only files of the page's own origin; no inline script or style, no `eval`, no frame, no form. */
export const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' blob: data:",
  "font-src 'self'",
  "connect-src 'self'",
  "worker-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

const DENIED_FEATURES = [
  'accelerometer',
  'camera',
  'display-capture',
  'geolocation',
  'gyroscope',
  'hid',
  'magnetometer',
  'microphone',
  'midi',
  'payment',
  'publickey-credentials-get',
  'serial',
  'usb',
]

function permissionsPolicy(granted?: string): string {
  return DENIED_FEATURES.map((feature) => `${feature}=${feature === granted ? '(self)' : '()'}`).join(', ')
}

export const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy': CONTENT_SECURITY_POLICY,
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': permissionsPolicy(),
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
}

/** The headers of the page at an address: only Live may use a camera, and nothing may use a microphone. */
export function pageHeaders(pathname: string): Readonly<Record<string, string>> {
  if (pathname !== CAMERA_PAGE) return SECURITY_HEADERS
  return { ...SECURITY_HEADERS, 'permissions-policy': permissionsPolicy('camera') }
}
