/** Offers bytes to the user as a file. */
export function saveBytes(bytes: BlobPart, fileName: string, type: string): void {
  const url = URL.createObjectURL(new Blob([bytes], { type }))
  saveUrl(url, fileName)
  URL.revokeObjectURL(url)
}

/** Offers what lies at an address of this program as a file. */
export function saveUrl(url: string, fileName: string): void {
  const link = document.createElement('a')
  link.href = url
  link.download = fileName
  link.click()
}

/** The canvas as PNG. */
export function canvasBlob(canvas: HTMLCanvasElement): Promise<Blob> {
  return new Promise((resolve, reject) => {
    canvas.toBlob(
      (blob) => (blob ? resolve(blob) : reject(new Error('The picture cannot be written as PNG'))),
      'image/png',
    )
  })
}
