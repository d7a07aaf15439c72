/**
 * What is fetched for which system. Each wheel is pinned by SHA-256; `libraries` are the two files that the engine needs.
 * Only Linux x64 is tested; the others are written for.
 */

export const tensorflowVersion = '2.21.0'

const linuxLibraries = ['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2']
const macLibraries = ['libtensorflow_cc.2.dylib', 'libtensorflow_framework.2.dylib']
const megabytes = 1_000_000

const cpuWheels = {
  'linux-x64': {
    requirement: `tensorflow-cpu==${tensorflowVersion}`,
    platform: 'manylinux_2_27_x86_64',
    sha256: '2b847d217b02ee7731ed91431daf3250daa0196c3c94614d23be27232e6e5b6c',
    libraries: linuxLibraries,
    downloadBytes: 274 * megabytes,
    unpackedBytes: 853 * megabytes,
    tested: true,
  },
  'linux-arm64': {
    requirement: `tensorflow==${tensorflowVersion}`,
    platform: 'manylinux_2_27_aarch64',
    sha256: '4b24aca16d527a3cf1c37f720c04c484c3d20f4d0fdfa98632ac8b9f3be6eb5c',
    libraries: linuxLibraries,
    downloadBytes: 270 * megabytes,
    unpackedBytes: 900 * megabytes,
    tested: false,
  },
  'darwin-arm64': {
    requirement: `tensorflow==${tensorflowVersion}`,
    platform: 'macosx_12_0_arm64',
    sha256: '51f46f4806139d01fc7920cc72a4c75876f80649bf40ff083ab6212ceb43ca88',
    libraries: macLibraries,
    downloadBytes: 250 * megabytes,
    unpackedBytes: 900 * megabytes,
    tested: false,
  },
}

/** The CPU engine's wheel for a system such as `linux-x64`, or undefined where TensorFlow has none that fits. */
export function cpuWheel(system = `${process.platform}-${process.arch}`) {
  return cpuWheels[system]
}

/** The CUDA engine: a whole tree of wheels, because its libraries find CUDA's beside them. Linux x64 only. */
export function cudaPackage(system = `${process.platform}-${process.arch}`) {
  if (system !== 'linux-x64') return undefined
  const glibc = ['2_28', '2_27', '2_17', '2_12', '2_5'].map((version) => `manylinux_${version}_x86_64`)
  return {
    requirement: `tensorflow[and-cuda]==${tensorflowVersion}`,
    platforms: [...glibc, 'manylinux2014_x86_64', 'manylinux2010_x86_64', 'manylinux1_x86_64'],
    libraries: linuxLibraries,
    downloadBytes: 3_500 * megabytes,
    unpackedBytes: 7_000 * megabytes,
    tested: false,
  }
}

/** pip flags that make a download independent of the Python at hand. */
export const pythonFlags = [
  '--only-binary=:all:',
  '--python-version',
  '3.11',
  '--implementation',
  'cp',
  '--abi',
  'cp311',
]

export const engineName = (cuda) => `tensorflow-${cuda ? 'cuda' : 'cpu'}-${tensorflowVersion}`
