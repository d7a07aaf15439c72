import { createPinia, setActivePinia } from 'pinia'
import { expect, it, vi } from 'vitest'
import { createApp } from 'vue'
import { ConvScopeError } from '../../../shared/errors.ts'
import type { ContractClient } from '../../../shared/rpc/client.ts'
import { clientKey } from '../../rpc/use-client.ts'
import { useNetworks } from './store.ts'

it('keeps the list that is in sight when it cannot be fetched again', async () => {
  const list = vi.fn<() => Promise<unknown>>().mockResolvedValueOnce([{ name: 'net' }])
  const pinia = createPinia()
  createApp({})
    .provide(clientKey, { networks: { list } } as unknown as ContractClient)
    .use(pinia)
  setActivePinia(pinia)
  const store = useNetworks()
  await store.reload()
  expect(store.networks).toEqual([{ name: 'net' }])
  list.mockRejectedValueOnce(new ConvScopeError('disk', 'The project cannot be read'))
  await store.reload()
  expect(store.error?.message).toBe('The project cannot be read')
  expect(store.networks).toEqual([{ name: 'net' }])
  list.mockResolvedValueOnce([])
  await store.reload()
  expect([store.networks, store.error]).toEqual([[], undefined])
})
