/** A browser's request as far as uploads need it, answered by a test. */

export interface FakeAnswer {
  readonly status: number
  readonly body: unknown
}

/**
 * To be the global `XMLHttpRequest`.
 * @param answer throws where nobody shall answer
 */
export function fakeRequest(answer: (method: string, address: string, body: unknown) => FakeAnswer): new () => object {
  return class {
    readonly upload: { onprogress?: (event: { loaded: number; total: number }) => void } = {}
    onload?: () => void
    onerror?: () => void
    onabort?: () => void
    status = 0
    responseText = ''
    #asked: [string, string] = ['', '']
    #isAborted = false

    open(method: string, address: string): void {
      this.#asked = [method, address]
    }

    abort(): void {
      this.#isAborted = true
      this.onabort?.()
    }

    send(body: Blob): void {
      queueMicrotask(() => {
        if (this.#isAborted) return
        this.upload.onprogress?.({ loaded: body.size, total: body.size })
        try {
          const { status, body: text } = answer(...this.#asked, body)
          this.status = status
          this.responseText = JSON.stringify(text)
        } catch {
          return this.onerror?.()
        }
        this.onload?.()
      })
    }
  }
}
