/** Remembers which engine was fastest until the hardware or a version changes. */
import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, rename, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as z from 'zod'
import { EngineReport } from '../../shared/engines.ts'
import { defaultCacheFolder, tensorflowFolder } from './folders.ts'
import { coreCount, cpuModel, nvidiaGpus, threadCount } from './hardware.ts'
import type { EngineOptions } from './start-named.ts'
import { TENSORFLOW_KERNELS } from './tensorflow-kernels.ts'
import { requireModule } from './tfjs.ts'
import { WASM_KERNELS } from './wasm-kernels.ts'

const Calibration = z.object({ key: z.string(), at: z.number(), reports: z.array(EngineReport) })
const CalibrationFile = z.object({ calibrations: z.array(Calibration) })
type Calibration = z.infer<typeof Calibration>

/** So many are kept, the newest first: a change of threads and back costs one calibration, not two. */
const KEPT_CALIBRATIONS = 8
/** A failure may have passed by then (a driver that was busy, a machine under load), so it is tried again. */
const FAILURE_LASTS_MS = 24 * 60 * 60 * 1000

const cacheFile = (options: EngineOptions): string =>
  join(options.cacheFolder ?? defaultCacheFolder(), 'calibration.json')

function packageVersion(name: string): string {
  try {
    const { version } = requireModule(`${name}/package.json`) as { version: string }
    return version
  } catch {
    return 'absent'
  }
}

/** Changes when the libraries in the folder are replaced, removed or added. */
async function libraryStamp(folder: string): Promise<string> {
  const names = ['libtensorflow_cc.so.2', 'libtensorflow_cc.2.dylib']
  const stamps = await Promise.all(
    names.map((name) =>
      stat(join(folder, name)).then(
        ({ size, mtimeMs }) => `${size}@${mtimeMs}`,
        () => '',
      ),
    ),
  )
  return stamps.join('')
}

/** Vulkan drivers appear as files in these folders of Linux. */
async function vulkanDrivers(): Promise<string[]> {
  const folders = ['/usr/share/vulkan/icd.d', '/etc/vulkan/icd.d']
  return (await Promise.all(folders.map((folder) => readdir(folder).catch(() => [])))).flat().sort()
}

/** SHA-256 over everything that the outcome of a calibration depends on. */
export async function calibrationKey(options: EngineOptions): Promise<string> {
  const cacheFolder = options.cacheFolder ?? defaultCacheFolder()
  const facts = {
    cpu: cpuModel(),
    cores: coreCount(),
    threads: threadCount(options.threads),
    gpus: await nvidiaGpus(),
    vulkan: [...(await vulkanDrivers()), process.env['VK_ICD_FILENAMES'] ?? ''],
    node: process.version,
    tfjs: packageVersion('@tensorflow/tfjs'),
    wasm: packageVersion('@tensorflow/tfjs-backend-wasm'),
    webgpu: packageVersion('webgpu'),
    kernels: [TENSORFLOW_KERNELS, WASM_KERNELS],
    tensorflow: await libraryStamp(tensorflowFolder('cpu', options.tensorflowFolder, cacheFolder)),
    cuda: await libraryStamp(tensorflowFolder('cuda', options.cudaFolder, cacheFolder)),
    exact: options.exact ?? true,
    allowSoftware: options.allowSoftware ?? false,
  }
  return createHash('sha256').update(JSON.stringify(facts)).digest('hex')
}

/** The remembered reports, or undefined where there are none for this key or a failure among them is a day old. */
export async function readCalibration(key: string, options: EngineOptions): Promise<EngineReport[] | undefined> {
  const found = (await readCalibrations(options)).find((calibration) => calibration.key === key)
  if (!found) return undefined
  const failed = found.reports.some(({ state }) => state === 'failed')
  return failed && Date.now() - found.at > FAILURE_LASTS_MS ? undefined : found.reports
}

/** Every remembered calibration; none where the file is absent or damaged. */
async function readCalibrations(options: EngineOptions): Promise<Calibration[]> {
  try {
    return CalibrationFile.parse(JSON.parse(await readFile(cacheFile(options), 'utf8'))).calibrations
  } catch {
    return []
  }
}

/** Remembers the reports. A cache folder that cannot be written costs only the time of the next calibration. */
export async function writeCalibration(
  key: string,
  reports: readonly EngineReport[],
  options: EngineOptions,
): Promise<void> {
  const file = cacheFile(options)
  const temporary = `${file}.${process.pid}.tmp`
  const others = (await readCalibrations(options)).filter((calibration) => calibration.key !== key)
  const calibrations = [{ key, at: Date.now(), reports }, ...others].slice(0, KEPT_CALIBRATIONS)
  try {
    await mkdir(join(file, '..'), { recursive: true })
    await writeFile(temporary, JSON.stringify({ calibrations }, null, 2))
    await rename(temporary, file)
  } catch {
    return
  }
}
