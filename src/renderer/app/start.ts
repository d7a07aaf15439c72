import { createPinia } from 'pinia'
import { createApp } from 'vue'
import { connectionState, createClient } from '../rpc/index.ts'
import { clientKey, connectionKey } from '../rpc/use-client.ts'
import '../ui/library.css'
import AppShell from './app-shell.vue'
import { createAppRouter } from './router.ts'

export function startApp(): void {
  createApp(AppShell)
    .provide(clientKey, createClient())
    .provide(connectionKey, connectionState)
    .use(createPinia())
    .use(createAppRouter())
    .mount('#app')
}
