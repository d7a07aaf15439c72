import type { MenuItemConstructorOptions } from 'electron'

/** Only what the system expects; everything else is in the page. */
export function menuTemplate(
  platform: NodeJS.Platform,
  openFolder: { logs(): void; crashes(): void },
): MenuItemConstructorOptions[] {
  const first: MenuItemConstructorOptions =
    platform === 'darwin' ? { role: 'appMenu' } : { label: '&File', submenu: [{ role: 'quit' }] }
  return [
    first,
    { role: 'editMenu' },
    {
      label: '&View',
      submenu: [
        { role: 'resetZoom' },
        { role: 'zoomIn' },
        { role: 'zoomOut' },
        { type: 'separator' },
        { role: 'togglefullscreen' },
      ],
    },
    { role: 'windowMenu' },
    {
      role: 'help',
      submenu: [
        { label: 'Open the folder of logs', click: () => openFolder.logs() },
        { label: 'Open the folder of crash reports', click: () => openFolder.crashes() },
      ],
    },
  ]
}
