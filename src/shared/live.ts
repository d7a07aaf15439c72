/** Live view: frames of a camera or a folder through a network, one after another. Nothing of them is kept. */
import * as z from 'zod'
import { DeconvnetParams, DeconvnetResult } from './experiments/deconvnet.ts'
import { PictureReference } from './experiments/document.ts'
import { Bytes } from './values.ts'

export const LARGEST_FRAME_SIDE = 2048

const side = z.number().int().min(1).max(LARGEST_FRAME_SIDE)
const size = { height: side, width: side, channels: z.union([z.literal(1), z.literal(3), z.literal(4)]) }

/** A picture as a canvas has it: bytes `[height, width, channels]`, grey, RGB or RGBA (on black). */
export const PixelFrame = z
  .strictObject({ ...size, pixels: Bytes })
  .refine(({ height, width, channels, pixels }) => pixels.length === height * width * channels, {
    message: 'the number of pixels is not height x width x channels',
  })
export type PixelFrame = z.infer<typeof PixelFrame>

/** The same between main and worker, where questions are JSON. */
export const EncodedFrame = z.strictObject({ ...size, base64: z.base64() })
export type EncodedFrame = z.infer<typeof EncodedFrame>

export const LARGEST_FRAME_FILE_BYTES = 32 * 1024 * 1024

/**
 * A picture file as it is. It is decoded in the worker: its middle with the aspect of what the network takes; `invert`: light becomes dark.
 */
export const FileFrame = z
  .strictObject({ file: Bytes, invert: z.boolean().default(false) })
  .refine(({ file }) => file.length <= LARGEST_FRAME_FILE_BYTES, { message: 'the file has more than 32 MB' })
export type FileFrame = z.infer<typeof FileFrame>

/** The same between main and worker. */
export const EncodedFile = z.strictObject({ fileBase64: z.base64(), invert: z.boolean() })
export type EncodedFile = z.infer<typeof EncodedFile>

/** What is looked at in every frame: one channel or place of a layer, with the rules of its projection. */
export const LiveView = DeconvnetParams.omit({ picture: true, scale: true }).extend({
  units: DeconvnetParams.shape.units.unwrap().default({ kind: 'strongest', count: 1 }),
})
export type LiveView = z.infer<typeof LiveView>

/** Pixels of any size: where the network's preprocessing does not say how to resize, they are stretched to its input. */
export const LiveFrameRequest = z.strictObject({
  view: LiveView,
  frame: z.union([PictureReference, PixelFrame, FileFrame]),
})
export type LiveFrameRequest = z.infer<typeof LiveFrameRequest>

/** What a look at the frame as a picture would give; the arrays as `.npy` files, as a look's outputs of the same names. */
export const LiveFrame = z.object({
  result: DeconvnetResult,
  /** `[units, height, width, channels]` of the layer `toLayer`. */
  projections: Bytes,
  /** Of the whole layer, `[height, width, channels]` or `[units]`. */
  activations: Bytes,
  /** The frame as the network got it, `[height, width, channels]` in network space. */
  input: Bytes,
})
export type LiveFrame = z.infer<typeof LiveFrame>
