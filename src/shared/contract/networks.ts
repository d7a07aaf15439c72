import { oc } from '@orpc/contract'
import * as z from 'zod'
import { PictureReference } from '../experiments/document.ts'
import { Accuracy, Classification, Examination } from '../network/examination.ts'
import { ArchitectureSummary, ExportFormat, NetworkPage, NetworkSummary, WeightHistogram } from '../network/page.ts'
import { NetworkSpec, Preprocessing } from '../network/spec.ts'
import { Bytes, LibraryName, Sha256 } from '../values.ts'
import { failures } from './failures.ts'
import { progressThen } from './progress.ts'

/**
 * A file that was uploaded, its name with the folders that it was chosen in; or one on the machine where the program runs (absolute; a
 * folder stands for the files in it).
 */
export const ImportFile = z.union([
  z.strictObject({ name: z.string().min(1).max(1024), sha256: Sha256 }),
  z.strictObject({ path: z.string().min(1).max(4096) }),
])
export type ImportFile = z.infer<typeof ImportFile>

export const NetworkImportRequest = z.object({
  files: z.array(ImportFile).min(1).max(1000),
  /** Of the network in the library. */
  name: LibraryName,
  /** For files that hold only weights: a known architecture, another network of the library, or the layers themselves. */
  architecture: z.union([LibraryName, NetworkSpec]).optional(),
})
export type NetworkImportRequest = z.infer<typeof NetworkImportRequest>

/** What is not named stays as it is. */
export const NetworkChange = z.object({
  name: LibraryName,
  title: z.string().min(1).max(200).optional(),
  preprocessing: Preprocessing.optional(),
  /** In the order of the outputs; none at all takes the names away. */
  classes: z.array(z.string().max(500)).max(100_000).optional(),
})
export type NetworkChange = z.infer<typeof NetworkChange>

/** Any file on the machine where the program runs; absolute. */
const FileInPlace = z.strictObject({ path: z.string().min(1).max(4096) })

export const PictureInput = z.union([PictureReference, FileInPlace])
export type PictureInput = z.infer<typeof PictureInput>

const LabelledPictures = z.object({
  dataset: LibraryName,
  split: LibraryName,
  count: z.number().int().positive().optional(),
})
export type LabelledPictures = z.infer<typeof LabelledPictures>

const referenced = { layer: LibraryName.optional(), picture: PictureReference.optional() }

export const ExaminationRequest = z.object({
  name: LibraryName,
  /** Evenly spread over the split; 100 when `count` is left out. */
  pictures: LabelledPictures.optional(),
  /** Activations that another program computed: `.npz` with one array for each layer, or `.npy` of `layer`. */
  reference: z
    .union([
      z.strictObject({ artifact: Sha256, ...referenced }),
      z.strictObject({ ...FileInPlace.shape, ...referenced }),
    ])
    .optional(),
})
export type ExaminationRequest = z.infer<typeof ExaminationRequest>

export const networks = {
  list: oc.errors(failures).output(z.array(NetworkSummary)),
  /** Layers with shapes, parameters and receptive fields. */
  page: oc
    .errors(failures)
    .input(z.object({ name: LibraryName }))
    .output(NetworkPage),
  /** Weights of one layer as an artifact (`.npy`); kernels as in `NetworkSpec`. */
  weights: oc
    .errors(failures)
    .input(z.object({ name: LibraryName, layer: LibraryName }))
    .output(z.array(z.object({ parameter: z.string(), shape: z.array(z.number()), values: Bytes }))),
  /** How the weights of every layer are distributed. */
  histograms: oc
    .errors(failures)
    .input(z.object({ name: LibraryName }))
    .output(progressThen(z.array(WeightHistogram))),
  /** Known architectures. */
  architectures: oc.errors(failures).output(z.array(ArchitectureSummary)),
  /** Reads a network from files into the library. What was noticed about it is in its findings. */
  import: oc.errors(failures).input(NetworkImportRequest).output(progressThen(NetworkSummary)),
  /** What it takes a picture for; with `preprocessing` as if that were its own. */
  classify: oc
    .errors(failures)
    .input(z.object({ name: LibraryName, picture: PictureInput, preprocessing: Preprocessing.optional() }))
    .output(Classification),
  /** How often it is right on a split with labels; on `count` pictures evenly spread over it. */
  accuracy: oc
    .errors(failures)
    .input(LabelledPictures.extend({ name: LibraryName }))
    .output(progressThen(Accuracy)),
  /** What the model doctor finds; with pictures it tries the plausible pipelines too. */
  examine: oc.errors(failures).input(ExaminationRequest).output(progressThen(Examination)),
  /** A file, as an artifact to download. */
  export: oc
    .errors(failures)
    .input(z.object({ name: LibraryName, format: ExportFormat }))
    .output(progressThen(z.object({ sha256: Sha256, fileName: z.string() }))),
  /** Saves a changed network: another hash, the same name. Runs keep the hash of what they used. */
  change: oc.errors(failures).input(NetworkChange).output(NetworkSummary),
  /** Another name for the same network; its hash stays. */
  rename: oc
    .errors(failures)
    .input(z.object({ name: LibraryName, to: LibraryName }))
    .output(z.void()),
  remove: oc
    .errors(failures)
    .input(z.object({ name: LibraryName }))
    .output(z.void()),
}
