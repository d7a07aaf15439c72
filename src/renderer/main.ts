import { createPinia } from 'pinia'
import { createApp } from 'vue'
import AppShell from './app/app-shell.vue'
import { createAppRouter } from './app/router.ts'
import { connectionState, createClient } from './rpc/index.ts'
import { clientKey, connectionKey } from './rpc/use-client.ts'
import './ui/fonts.ts'
import './ui/theme.css'
import './ui/library.css'
import { followSystemTheme } from './ui/theme.ts'

followSystemTheme()
createApp(AppShell)
  .provide(clientKey, createClient())
  .provide(connectionKey, connectionState)
  .use(createPinia())
  .use(createAppRouter())
  .mount('#app')
