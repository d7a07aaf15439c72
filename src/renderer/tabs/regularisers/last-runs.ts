import { shallowReactive } from 'vue'

/** The run that each view showed last, by the view's path: going there again shows it again. */
export const lastRuns: Map<string, string> = shallowReactive(new Map<string, string>())
