/** How the window's port gets to main: names that renderer, preload and main agree on. */

/** Where the page of the window comes from. */
export const APP_SCHEME = 'app'
export const APP_HOST = 'workstation'
export const APP_ORIGIN = `${APP_SCHEME}://${APP_HOST}`

/** Message of the page to the preload, with one port. */
export const PORT_REQUEST = 'convscope:connect'
/** Message of the preload to main, with the same port. */
export const PORT_CHANNEL = 'rpc:connect'
