import { expect, it } from 'vitest'
import type { LayerPage } from '../../../shared/network/page.ts'
import { layOutLayers, type LayerGraph } from './layer-graph.ts'

const layer = (name: string, type: string, ...inputs: string[]): LayerPage => ({
  name,
  type,
  inputs,
  shape: [1],
  parameters: 0,
})
const box = (graph: LayerGraph, name: string) => {
  const found = graph.boxes.find(({ layers }) => layers.some((candidate) => candidate.name === name))
  if (!found) throw new Error(`no box of ${name}`)
  return found
}

it('draws a chain as a straight line, with activations in the box of their layer', () => {
  const graph = layOutLayers([
    layer('input', 'input'),
    layer('conv', 'conv2d', 'input'),
    layer('norm', 'batch-norm', 'conv'),
    layer('relu', 'relu', 'norm'),
    layer('pool', 'max-pool', 'relu'),
  ])
  expect(graph.boxes.map(({ layers }) => layers.map(({ name }) => name))).toEqual([
    ['input'],
    ['conv', 'norm', 'relu'],
    ['pool'],
  ])
  expect(new Set(graph.boxes.map(({ x }) => x)).size).toBe(1)
  expect(graph.edges.map(({ from, to }) => `${from} ${to}`)).toEqual(['input conv', 'conv pool'])
})

it('puts branches beside each other, and leads a short one past the longer', () => {
  const graph = layOutLayers([
    layer('input', 'input'),
    layer('a', 'conv2d', 'input'),
    layer('b1', 'conv2d', 'input'),
    layer('b2', 'conv2d', 'b1'),
    layer('c', 'max-pool', 'input'),
    layer('join', 'concat', 'a', 'b2', 'c'),
  ])
  expect(['input', 'a', 'b1', 'c', 'b2', 'join'].map((name) => box(graph, name).rank)).toEqual([0, 1, 1, 1, 2, 3])
  const places = ['a', 'b1', 'c'].map((name) => box(graph, name).x).toSorted((x, y) => x - y)
  expect((places[1] ?? 0) - (places[0] ?? 0)).toBeGreaterThanOrEqual(1)
  expect((places[2] ?? 0) - (places[1] ?? 0)).toBeGreaterThanOrEqual(1)
  const skip = graph.edges.find(({ from, to }) => from === 'a' && to === 'join')
  expect(skip?.points.map(({ rank }) => rank)).toEqual([1, 2, 3])
  // The passing edge keeps away from the box that it passes.
  expect(Math.abs((skip?.points[1]?.x ?? 0) - box(graph, 'b2').x)).toBeGreaterThanOrEqual(0.6)
})

it('keeps an activation that others see too in a box of its own', () => {
  const graph = layOutLayers([
    layer('input', 'input'),
    layer('conv', 'conv2d', 'input'),
    layer('relu', 'relu', 'conv'),
    layer('sum', 'add', 'conv', 'relu'),
  ])
  expect(graph.boxes.map(({ layers }) => layers[0].name)).toEqual(['input', 'conv', 'relu', 'sum'])
  expect(layOutLayers([]).boxes).toEqual([])
})

it('lays out ten modules of four branches within a moment, no wider than five boxes', () => {
  const layers = [layer('input', 'input')]
  let last = 'input'
  for (let module = 0; module < 10; module++) {
    const name = (part: string): string => `m${module}-${part}`
    layers.push(
      layer(name('1x1'), 'conv2d', last),
      layer(name('3r'), 'conv2d', last),
      layer(name('3'), 'conv2d', name('3r')),
      layer(name('5r'), 'conv2d', last),
      layer(name('5'), 'conv2d', name('5r')),
      layer(name('pool'), 'max-pool', last),
      layer(name('proj'), 'conv2d', name('pool')),
      layer(name('join'), 'concat', name('1x1'), name('3'), name('5'), name('proj')),
    )
    last = name('join')
  }
  const graph = layOutLayers(layers)
  expect(graph.ranks).toBe(31)
  expect(graph.right - graph.left).toBeLessThan(5)
  for (let rank = 0; rank < graph.ranks; rank++) {
    const row = graph.boxes.filter((candidate) => candidate.rank === rank).map(({ x }) => x)
    row.sort((a, b) => a - b)
    row.forEach((x, index) => index > 0 && expect(x - (row[index - 1] ?? 0)).toBeGreaterThanOrEqual(0.999))
  }
})
