import { computed, watch, type ComputedRef, type Ref } from 'vue'
import { centreFor, scrollOf, type Centre } from '../lib/magnify.ts'

interface Size {
  readonly width: number
  readonly height: number
}

interface PanZoomOptions {
  /** The box that scrolls. */
  readonly stage: Readonly<Ref<HTMLElement | null>>
  /** The picture in it. */
  readonly canvas: Readonly<Ref<HTMLElement | null>>
  readonly room: Readonly<Ref<Size>>
  /** Size of the picture on the screen. */
  readonly content: Readonly<Ref<Size>>
  readonly centre: () => Centre
  /** One step of the wheel: larger (1) or smaller (-1). */
  readonly zoom: (direction: 1 | -1) => void
  readonly pan: (centre: Centre) => void
}

interface PanZoom {
  readonly larger: ComputedRef<boolean>
  readonly turn: (event: WheelEvent) => void
  readonly drag: (event: PointerEvent) => void
  readonly onScroll: () => void
  /** Whether the press that has just ended moved the picture. */
  readonly wasDragged: () => boolean
}

/**
 * Wheel and drag on a picture that may be larger than its box. Magnification and centre belong to the caller, so that several
 * panes go in step; what is under the pointer stays there when the wheel is turned.
 */
export function usePanZoom({ stage, canvas, room, content, centre, zoom, pan }: PanZoomOptions): PanZoom {
  /** Where the program scrolled to: what the user did differs from it. */
  let applied = { left: 0, top: 0 }
  /** A place of the picture that is to stay under the pointer at the next magnification. */
  let anchor: { fraction: Centre; offset: Centre } | undefined
  let turned = 0
  let dragged = false
  const larger = computed(() => content.value.width > room.value.width || content.value.height > room.value.height)

  /** A notch of a wheel is one step, and so is as much of a touchpad. */
  function turn(event: WheelEvent): void {
    const [box, bounds] = [stage.value, canvas.value?.getBoundingClientRect()]
    if (!box || !bounds || bounds.width === 0) return
    event.preventDefault()
    turned += event.deltaY * (event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 33 : 1)
    if (Math.abs(turned) < (event.ctrlKey ? 10 : 50)) return
    const direction = turned < 0 ? 1 : -1
    turned = 0
    const frame = box.getBoundingClientRect()
    anchor = {
      fraction: { x: (event.clientX - bounds.left) / bounds.width, y: (event.clientY - bounds.top) / bounds.height },
      offset: { x: event.clientX - frame.left, y: event.clientY - frame.top },
    }
    zoom(direction)
  }

  function drag(down: PointerEvent): void {
    dragged = false
    const box = stage.value
    if (!box || !larger.value || down.button !== 0) return
    const from = { left: box.scrollLeft, top: box.scrollTop }
    const move = (event: PointerEvent): void => {
      const [x, y] = [event.clientX - down.clientX, event.clientY - down.clientY]
      if (!dragged && Math.hypot(x, y) < 4) return
      if (!dragged) box.setPointerCapture(down.pointerId)
      dragged = true
      box.scrollTo(from.left - x, from.top - y)
    }
    const end = (): void => {
      box.removeEventListener('pointermove', move)
      for (const name of ['pointerup', 'pointercancel'] as const) box.removeEventListener(name, end)
    }
    box.addEventListener('pointermove', move)
    for (const name of ['pointerup', 'pointercancel'] as const) box.addEventListener(name, end)
  }

  function onScroll(): void {
    const box = stage.value
    if (!box || !larger.value) return
    const { scrollLeft, scrollTop } = box
    if (Math.abs(scrollLeft - applied.left) <= 1 && Math.abs(scrollTop - applied.top) <= 1) return
    applied = { left: scrollLeft, top: scrollTop }
    const { width, height } = content.value
    pan({
      x: width > box.clientWidth ? (scrollLeft + box.clientWidth / 2) / width : centre().x,
      y: height > box.clientHeight ? (scrollTop + box.clientHeight / 2) / height : centre().y,
    })
  }

  function scrollToCentre(): void {
    const box = stage.value
    if (!box || !larger.value) return
    const { width, height } = content.value
    const wanted = {
      left: scrollOf(centre().x, width, box.clientWidth),
      top: scrollOf(centre().y, height, box.clientHeight),
    }
    if (Math.abs(wanted.left - box.scrollLeft) <= 1 && Math.abs(wanted.top - box.scrollTop) <= 1) return
    applied = wanted
    box.scrollTo(wanted.left, wanted.top)
  }

  /** After the magnification has changed: what was under the pointer is there again. */
  function holdAnchor(): void {
    const box = stage.value
    if (!box || !anchor) return
    const { fraction, offset } = anchor
    anchor = undefined
    pan({
      x: centreFor(fraction.x, offset.x, content.value.width, box.clientWidth),
      y: centreFor(fraction.y, offset.y, content.value.height, box.clientHeight),
    })
  }

  watch(
    content,
    (next, before) => {
      if (next.width !== before.width) holdAnchor()
    },
    { flush: 'post' },
  )
  watch(() => [centre(), content.value, room.value], scrollToCentre, { flush: 'post' })
  return { larger, turn, drag, onScroll, wasDragged: () => dragged }
}
