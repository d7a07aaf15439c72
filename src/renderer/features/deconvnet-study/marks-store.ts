import { defineStore } from 'pinia'
import { computed, ref, shallowRef } from 'vue'
import type { PixelBox } from '../../lib/boxes.ts'
import {
  copiedMarks,
  marksOn,
  nextPart,
  readMarks,
  withMark,
  withoutMark,
  type MarkedPicture,
  type PartMark,
} from './part-marks.ts'

/** The page is loaded again to take a camera, and to give it back. */
const KEY = 'convscope.part-marks'

/** The parts that are marked for a correspondence, for as long as the window is open; boxes fit one network's input only. */
export const usePartMarks = defineStore('part-marks', () => {
  const all = shallowRef(readMarks(sessionStorage.getItem(KEY)))
  const network = ref('')
  /** The name that the next box gets. */
  const part = ref('eyes')
  const marks = computed(() => all.value[network.value] ?? [])

  function change(next: readonly PartMark[]): void {
    all.value = { ...all.value, [network.value]: next }
    sessionStorage.setItem(KEY, JSON.stringify(all.value))
  }

  /** Marks the chosen part and goes on to the next one that the picture lacks. */
  function draw(picture: MarkedPicture, box: PixelBox): void {
    const name = part.value.trim()
    if (name === '') return
    const { dataset, split, index } = picture
    change(withMark(marks.value, { dataset, split, index, part: name, box }))
    part.value = nextPart(marks.value, picture, name)
  }

  /** Gives a part that is marked another box. */
  function place(picture: MarkedPicture, name: string, box: PixelBox): void {
    const known = marksOn(marks.value, picture).find((mark) => mark.part === name)
    if (known) change(withMark(marks.value, { ...known, box }))
  }

  const remove = (picture: MarkedPicture, name: string): void => change(withoutMark(marks.value, picture, name))
  const copy = (from: MarkedPicture, to: MarkedPicture): void => change(copiedMarks(marks.value, from, to))
  const forget = (): void => change([])

  return { network, part, marks, draw, place, remove, copy, forget }
})
