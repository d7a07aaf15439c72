import type { IconName } from '../ui/icons.ts'

/** The areas that exist, in the order of the rail. */
export const TABS: readonly { path: string; label: string; icon: IconName }[] = [
  { path: '/deconvnet', label: 'Deconvnet', icon: 'deconvnet' },
  { path: '/regularisers', label: 'Regularisers', icon: 'regularisers' },
  { path: '/library', label: 'Library', icon: 'library' },
  { path: '/experiments', label: 'Experiments', icon: 'experiments' },
  { path: '/settings', label: 'Settings', icon: 'settings' },
]
