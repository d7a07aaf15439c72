/** First parts of the addresses that the page itself knows: main answers all addresses below them with the page. */
export const PAGE_AREAS = ['deconvnet', 'regularisers', 'library', 'experiments', 'settings'] as const

/** The one address at which the page may use a camera; a document that was loaded elsewhere may not. */
export const CAMERA_PAGE = '/deconvnet/live'

/** Whether the page has an answer at the path of an address, as in `/library/networks/mnist-convnet`. */
export function isPageAddress(pathname: string): boolean {
  return PAGE_AREAS.some((area) => pathname === `/${area}` || pathname.startsWith(`/${area}/`))
}
