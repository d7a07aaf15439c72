/** Protocol Buffers' text format (`.prototxt`): `name: value`, `name { … }`, lists in brackets, comments after `#`. */
import { ConvScopeError } from '../../../shared/errors.ts'
import type { SourceFile } from '../../files/source-file.ts'

export interface TextMessage {
  readonly fields: readonly TextField[]
  /** Where it begins, counted from 1. */
  readonly line: number
}
export interface TextScalar {
  /** As written; of a quoted text its contents. */
  readonly text: string
  readonly quoted: boolean
  readonly line: number
}
export interface TextField {
  readonly name: string
  readonly value: TextMessage | TextScalar
}

const MAX_BYTES = 16_777_216
const MAX_DEPTH = 32

interface Token {
  readonly text: string
  readonly kind: 'word' | 'quoted' | 'sign' | 'end'
  readonly line: number
}

/**
 * @throws ConvScopeError 'damaged' that names the file, the line and what was expected; 'too-large' above 16 MiB
 */
export function parseTextFormat(file: SourceFile): TextMessage {
  if (file.size > MAX_BYTES) {
    throw new ConvScopeError(
      'too-large',
      `${file.name} has ${file.size} bytes; a description has ${MAX_BYTES} at most.`,
      {
        remedy: 'Give the .prototxt file that describes the layers; weights belong into a .caffemodel.',
      },
    )
  }
  const parser = new Parser(file.name, new TextDecoder().decode(file.read(0, file.size)))
  return parser.message(0)
}

/** The error of a place in a text file. */
export function damagedText(name: string, line: number, reason: string): ConvScopeError {
  return new ConvScopeError('damaged', `${name} cannot be read: line ${line}: ${reason}.`, {
    remedy: 'Correct that line, or download the file again.',
  })
}

class Parser {
  readonly #name: string
  readonly #source: string
  #place = 0
  #line = 1
  #token: Token

  constructor(name: string, source: string) {
    this.#name = name
    this.#source = source
    this.#token = this.#scan()
  }

  /** Fields up to the closing brace, or at depth 0 to the end of the file. */
  message(depth: number, close?: string): TextMessage {
    const { line } = this.#token
    if (depth > MAX_DEPTH) throw this.#refuse(line, 'braces are nested more deeply than any network needs')
    const fields: TextField[] = []
    while (this.#token.kind !== 'end') {
      if (this.#token.kind === 'sign' && this.#token.text === close) return { fields, line }
      if (this.#token.kind === 'sign' && (this.#token.text === ',' || this.#token.text === ';')) this.#next()
      else this.#field(fields, depth)
    }
    if (close !== undefined) throw this.#refuse(line, `the ${close === '}' ? '{' : '<'} before it is never closed`)
    return { fields, line }
  }

  #field(fields: TextField[], depth: number): void {
    const { text: name, kind, line } = this.#next()
    if (kind !== 'word' || !/^[a-z_]\w*$/i.test(name))
      throw this.#refuse(line, `a field's name is expected, not ${name}`)
    const colon = this.#accept(':')
    if (this.#accept('[')) {
      while (!this.#accept(']')) {
        fields.push({ name, value: this.#value(name, true, depth) })
        this.#accept(',')
      }
      return
    }
    fields.push({ name, value: this.#value(name, colon, depth) })
  }

  #value(name: string, colon: boolean, depth: number): TextMessage | TextScalar {
    const token = this.#next()
    if (token.kind === 'sign' && (token.text === '{' || token.text === '<')) {
      const close = token.text === '{' ? '}' : '>'
      const message = this.message(depth + 1, close)
      this.#next()
      return message
    }
    if (!colon || token.kind === 'sign' || token.kind === 'end') {
      throw this.#refuse(token.line, `${name} has no value${token.kind === 'end' ? '' : ` before ${token.text}`}`)
    }
    if (token.kind === 'word') return { text: token.text, quoted: false, line: token.line }
    let text = token.text
    // Adjacent quoted texts are one, as in C.
    while (this.#token.kind === 'quoted') text += this.#next().text
    return { text, quoted: true, line: token.line }
  }

  #accept(sign: string): boolean {
    const found = this.#token.kind === 'sign' && this.#token.text === sign
    if (found) this.#next()
    return found
  }

  #next(): Token {
    const token = this.#token
    this.#token = this.#scan()
    return token
  }

  #scan(): Token {
    const source = this.#source
    for (; this.#place < source.length; this.#place++) {
      const character = source[this.#place]
      if (character === '\n') this.#line++
      else if (character === '#') {
        const end = source.indexOf('\n', this.#place)
        this.#place = (end === -1 ? source.length : end) - 1
      } else if (character !== ' ' && character !== '\t' && character !== '\r' && character !== '\ufeff') break
    }
    const line = this.#line
    const character = source[this.#place]
    if (character === undefined) return { text: 'the end of the file', kind: 'end', line }
    if (character === '"' || character === "'") return this.#quoted(character)
    if ('{}<>[]:;,'.includes(character)) {
      this.#place++
      return { text: character, kind: 'sign', line }
    }
    const word = /[\w.+-]+/y
    word.lastIndex = this.#place
    const [text] = word.exec(source) ?? []
    if (text === undefined) throw this.#refuse(line, `the character ${JSON.stringify(character)} has no meaning here`)
    this.#place += text.length
    return { text, kind: 'word', line }
  }

  #quoted(quote: string): Token {
    const line = this.#line
    const source = this.#source
    let text = ''
    for (this.#place++; this.#place < source.length; this.#place++) {
      const character = source[this.#place] ?? ''
      if (character === quote) {
        this.#place++
        return { text, kind: 'quoted', line }
      }
      if (character === '\n') break
      if (character === '\\') text += source[++this.#place] ?? ''
      else text += character
    }
    throw this.#refuse(line, 'a quotation mark is never closed')
  }

  #refuse(line: number, reason: string): ConvScopeError {
    return damagedText(this.#name, line, reason)
  }
}
