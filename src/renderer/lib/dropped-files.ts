/** Files as they are dropped or chosen: folders become the files in them. */

const MAX_FILES = 100_000

/** Every file of a drop, those of folders included: these have their path from the dropped folder on, as chosen folders' files have. */
export async function droppedFiles(transfer: DataTransfer): Promise<File[]> {
  // The list is only there until the event has been handled: entries are taken before anything is awaited.
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry()).filter((entry) => entry !== null)
  const plain = [...transfer.files]
  if (entries.length === 0) return plain
  const found: File[] = []
  for (const entry of entries) await collect(entry, found)
  return found
}

/** Whether something with files is dragged over the page. */
export function hasFiles(event: DragEvent): boolean {
  return event.dataTransfer?.types.includes('Files') ?? false
}

async function collect(entry: FileSystemEntry, found: File[]): Promise<void> {
  if (found.length >= MAX_FILES || entry.name.startsWith('.')) return
  if (isFile(entry)) {
    const file = await new Promise<File>((resolve, reject) => entry.file(resolve, reject))
    const path = entry.fullPath.replace(/^\/+/, '')
    found.push(path.includes('/') ? Object.defineProperty(file, 'webkitRelativePath', { value: path }) : file)
    return
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader()
  for (;;) {
    // Chromium hands out a hundred at a time, at last none.
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject))
    if (some.length === 0) return
    for (const inside of some) await collect(inside, found)
  }
}

function isFile(entry: FileSystemEntry): entry is FileSystemFileEntry {
  return entry.isFile
}
