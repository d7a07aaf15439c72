import { createRouter, createWebHistory } from 'vue-router'
import type { Router, RouterHistory } from 'vue-router'
import { CAMERA_PAGE } from '../../shared/page-areas.ts'

/** Every network, data set, run and unit has an address. */
export function createAppRouter(history: RouterHistory = createWebHistory('/')): Router {
  return createRouter({
    history,
    routes: [
      { path: '/', redirect: '/deconvnet' },
      {
        path: '/deconvnet',
        component: () => import('../tabs/deconvnet/deconvnet-tab.vue'),
        meta: { title: 'Deconvnet' },
      },
      {
        path: CAMERA_PAGE,
        component: () => import('../tabs/deconvnet/live-tab.vue'),
        meta: { title: 'Live' },
      },
      {
        path: '/deconvnet/:kind',
        props: true,
        component: () => import('../tabs/deconvnet/study-tab.vue'),
        meta: { title: 'Deconvnet' },
      },
      {
        path: '/regularisers',
        component: () => import('../tabs/regularisers/regularisers-tab.vue'),
        meta: { title: 'Regularisers' },
      },
      {
        path: '/regularisers/search',
        component: () => import('../tabs/regularisers/search-tab.vue'),
        meta: { title: 'Regularisers' },
      },
      {
        path: '/regularisers/compare',
        component: () => import('../tabs/regularisers/compare-tab.vue'),
        meta: { title: 'Regularisers' },
      },
      {
        path: '/library',
        component: () => import('../tabs/library/library-tab.vue'),
        meta: { title: 'Library' },
        children: [
          { path: '', component: () => import('../tabs/library/library-start.vue') },
          { path: 'train', component: () => import('../features/train-classifier/training-page.vue') },
          { path: 'import', component: () => import('../features/library-networks/import-page.vue') },
          {
            path: 'networks/:name',
            props: true,
            component: () => import('../features/library-networks/network-page.vue'),
          },
          { path: 'import-data', component: () => import('../features/library-datasets/import-page.vue') },
          {
            path: 'datasets/:name',
            props: true,
            component: () => import('../features/library-datasets/dataset-page.vue'),
          },
        ],
      },
      {
        path: '/experiments/:id?',
        props: true,
        component: () => import('../tabs/experiments/experiments-tab.vue'),
        meta: { title: 'Experiments' },
      },
      { path: '/settings', component: () => import('../tabs/settings/settings-tab.vue'), meta: { title: 'Settings' } },
      { path: '/:rest(.*)*', component: () => import('./not-found.vue'), meta: { title: 'Not found' } },
    ],
  })
}
