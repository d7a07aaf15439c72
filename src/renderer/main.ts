import './ui/fonts.ts'
import './ui/theme.css'
import './rpc/zod-without-eval.ts'
import { followSystemTheme } from './ui/theme.ts'

followSystemTheme()
// Imported only now: the contract's schemas are made while its modules load.
const { startApp } = await import('./app/start.ts')
startApp()
