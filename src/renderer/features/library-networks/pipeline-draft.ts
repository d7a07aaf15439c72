/** A preprocessing pipeline as it is typed: texts until they are numbers. */
import type { Preprocessing } from '../../../shared/network/spec.ts'

export interface PipelineDraft {
  resize: 'none' | 'exact' | 'short-side'
  resizeHeight: number
  resizeWidth: number
  filter: NonNullable<Preprocessing['resize']>['filter']
  crop: 'none' | 'centre'
  cropHeight: number
  cropWidth: number
  channelOrder: Preprocessing['channelOrder']
  /** A number, or a quotient such as `1/255`. */
  scale: string
  /** Numbers with commas or spaces between them; empty for none. */
  mean: string
  std: string
  /** Whether the mean picture of the network is subtracted in place of the averages. */
  meanImage: boolean
}

export interface DraftProblems {
  readonly scale?: string
  readonly mean?: string
  readonly std?: string
}

/** @param input `[height, width, channels]` of the network, where sizes begin that are not set yet */
export function draftOf(preprocessing: Preprocessing, input: readonly [number, number, number]): PipelineDraft {
  const { resize, crop, channelOrder, scale, mean, std, meanImage } = preprocessing
  const [height, width] = input
  return {
    resize: resize?.mode ?? 'none',
    resizeHeight: resize?.height ?? height,
    resizeWidth: resize?.width ?? width,
    filter: resize?.filter ?? 'pil-bilinear',
    crop: crop?.mode ?? 'none',
    cropHeight: crop?.height ?? height,
    cropWidth: crop?.width ?? width,
    channelOrder,
    scale: scaleText(scale),
    mean: mean.join(', '),
    std: std.join(', '),
    meanImage: meanImage !== undefined,
  }
}

/** The pipeline that was typed, or what is wrong with its fields. */
export function pipelineOf(
  draft: PipelineDraft,
  before: Preprocessing,
  channels: number,
): { readonly preprocessing: Preprocessing } | { readonly problems: DraftProblems } {
  const scale = numberOf(draft.scale)
  const mean = numbersOf(draft.mean)
  const std = numbersOf(draft.std)
  const countProblem = (values: readonly number[]): string | undefined =>
    values.length === 0 || values.length === channels
      ? undefined
      : `Give ${channels} ${channels === 1 ? 'number' : 'numbers'}, one a channel, or none.`
  const problems: DraftProblems = {
    ...(scale === undefined || scale === 0 ? { scale: 'Give a number other than 0, such as 1/255 or 1.' } : {}),
    ...withProblem('mean', mean === undefined ? 'Give numbers with commas between them.' : countProblem(mean)),
    ...withProblem(
      'std',
      std === undefined || std.some((value) => value <= 0)
        ? 'Give numbers above 0 with commas between them.'
        : countProblem(std),
    ),
  }
  if (scale === undefined || mean === undefined || std === undefined || Object.keys(problems).length > 0)
    return { problems }
  return {
    preprocessing: {
      ...(draft.resize === 'none'
        ? {}
        : {
            resize: {
              mode: draft.resize,
              height: draft.resizeHeight,
              width: draft.resize === 'exact' ? draft.resizeWidth : draft.resizeHeight,
              filter: draft.filter,
            },
          }),
      ...(draft.crop === 'none'
        ? {}
        : { crop: { mode: draft.crop, height: draft.cropHeight, width: draft.cropWidth } }),
      channelOrder: draft.channelOrder,
      scale,
      mean,
      ...(draft.meanImage && before.meanImage !== undefined ? { meanImage: before.meanImage } : {}),
      std,
    },
  }
}

/** Names of classes from a file: a JSON list, or one a line; numbers and WordNet ids before the names are left out. */
export function classNamesOf(text: string): string[] {
  const trimmed = text.replace(/^\uFEFF/, '').trim()
  if (trimmed.startsWith('[')) {
    const parsed: unknown = JSON.parse(trimmed)
    if (Array.isArray(parsed)) return parsed.map(String)
  }
  if (trimmed === '') return []
  const lines = trimmed.split(/\r?\n/).map((line) => line.trim())
  const synset = /^n\d{8}\s+/
  return lines.every((line) => synset.test(line)) ? lines.map((line) => line.replace(synset, '')) : lines
}

function withProblem<N extends string>(name: N, problem: string | undefined): { [K in N]?: string } {
  return problem === undefined ? {} : ({ [name]: problem } as { [K in N]?: string })
}

function scaleText(scale: number): string {
  const inverse = 1 / scale
  return Math.abs(inverse - Math.round(inverse)) < 1e-9 && inverse > 1 ? `1/${Math.round(inverse)}` : String(scale)
}

function numberOf(text: string): number | undefined {
  const [top = '', bottom, ...more] = text.replaceAll('\u2212', '-').split('/')
  const values = [top, bottom ?? '1'].map((part) => (part.trim() === '' ? NaN : Number(part)))
  const [above = NaN, below = NaN] = values
  const value = above / below
  return more.length === 0 && Number.isFinite(value) ? value : undefined
}

function numbersOf(text: string): number[] | undefined {
  const parts = text
    .replaceAll('\u2212', '-')
    .split(/[\s,;]+/)
    .filter((part) => part !== '')
  const values = parts.map(Number)
  return values.every(Number.isFinite) ? values : undefined
}
