import { sheetColumns } from '../../shared/contact-sheet.ts'
import { colourMap, type ColourMapName, type Limits } from './colour-maps.ts'
import { paint, sheetPlace, type PictureSource } from './paint.ts'

/** A canvas with the picture at its own size, one pixel a value. */
export function pictureCanvas(source: PictureSource, limits: Limits, map: ColourMapName): HTMLCanvasElement {
  return canvasOf(source.width, source.height, (target) =>
    paint(source, limits, { name: map, table: colourMap(map) }, target, source.width),
  )
}

/** A picture as it is shown. */
export interface ShownPicture {
  readonly source: PictureSource
  readonly limits: Limits
  readonly map: ColourMapName
  /** Shows through: another picture of the same place. */
  readonly under?: { readonly source: PictureSource; readonly limits: Limits } | undefined
}

/** Opacity over the picture that shows through. */
const VEIL = 0.6

/** Fills the canvas of the context with a picture, without smoothing. */
export function drawShown(
  context: CanvasRenderingContext2D,
  { source, limits, map, under }: ShownPicture,
  width: number,
  height: number,
): void {
  context.imageSmoothingEnabled = false
  if (under) {
    context.drawImage(pictureCanvas(under.source, under.limits, 'grey'), 0, 0, width, height)
    context.globalAlpha = VEIL
  }
  context.drawImage(pictureCanvas(source, limits, map), 0, 0, width, height)
  context.globalAlpha = 1
}

/** Many pictures of one size on one canvas; drawing a tile of it costs one `drawImage`. */
export interface Sheet {
  readonly canvas: HTMLCanvasElement
  readonly columns: number
  readonly tileWidth: number
  readonly tileHeight: number
  readonly count: number
}

/** Paints `count` pictures of one size; the limits may differ from picture to picture. */
export function makeSheet(
  count: number,
  picture: (index: number) => PictureSource,
  limits: (index: number) => Limits,
  map: ColourMapName,
): Sheet | undefined {
  if (count === 0) return undefined
  const { width, height } = picture(0)
  const columns = sheetColumns(count)
  const table = { name: map, table: colourMap(map) }
  const canvas = canvasOf(columns * width, Math.ceil(count / columns) * height, (target) => {
    for (let index = 0; index < count; index++) {
      const { left, top } = sheetPlace(index, columns, width, height)
      paint(picture(index), limits(index), table, target, columns * width, left, top)
    }
  })
  return { canvas, columns, tileWidth: width, tileHeight: height, count }
}

/** Draws one tile of a sheet; smoothed only where it is made smaller. */
export function drawTile(
  context: CanvasRenderingContext2D,
  sheet: Sheet,
  index: number,
  left: number,
  top: number,
  width: number,
  height: number,
): void {
  const from = sheetPlace(index, sheet.columns, sheet.tileWidth, sheet.tileHeight)
  context.imageSmoothingEnabled = width < sheet.tileWidth
  context.drawImage(sheet.canvas, from.left, from.top, sheet.tileWidth, sheet.tileHeight, left, top, width, height)
}

/** Slanting stripes: here is nothing to see, which grey would not say. */
export function drawNothing(
  context: CanvasRenderingContext2D,
  left: number,
  top: number,
  width: number,
  height: number,
): void {
  context.save()
  context.beginPath()
  context.rect(left, top, width, height)
  context.clip()
  context.fillStyle = '#787878'
  context.fillRect(left, top, width, height)
  context.strokeStyle = '#a8a8a8'
  context.lineWidth = 3
  for (let start = -height; start < width; start += 8) {
    context.beginPath()
    context.moveTo(left + start, top + height)
    context.lineTo(left + start + height, top)
    context.stroke()
  }
  context.restore()
}

function canvasOf(width: number, height: number, fill: (target: Uint8ClampedArray) => void): HTMLCanvasElement {
  const canvas = document.createElement('canvas')
  canvas.width = width
  canvas.height = height
  const context = canvas.getContext('2d')
  if (!context) throw new Error('The browser offers no canvas')
  const image = context.createImageData(width, height)
  fill(image.data)
  context.putImageData(image, 0, 0)
  return canvas
}
