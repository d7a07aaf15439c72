/**
 * Python's pickle format, protocols 0 to 5, without executing anything: the only objects that come out are numbers, texts, bytes, lists,
 * maps, sets, and what the caller's own list of names makes. Any other name is refused.
 */
import { ConvScopeError } from '../../shared/errors.ts'
import type { ByteCursor } from './byte-cursor.ts'
import { NO_LITERAL, PickleValues } from './pickle-values.ts'

/** What a name in a pickle stands for. */
export interface PickleGlobal {
  readonly module: string
  readonly name: string
  /** Makes an object from the arguments. Absent for names that are only values. */
  readonly call?: (args: readonly unknown[]) => unknown
  /** Takes over the state of an object that `call` made; without it the state is dropped. */
  readonly build?: (object: unknown, state: unknown) => void
}

export interface PickleOptions {
  /** What the messages call the file. */
  readonly source: string
  /** @throws ConvScopeError for a name that is not allowed */
  readonly global: (module: string, name: string) => PickleGlobal
  /** For objects kept outside the pickle, such as storages. */
  readonly persistent?: (id: unknown) => unknown
}

const MARK = Symbol('mark')

/**
 * Reads one pickle; the cursor stands behind it afterwards. Tuples and lists are arrays, dictionaries are maps.
 * @throws ConvScopeError 'damaged' or what `options.global` throws
 */
export function readPickle(cursor: ByteCursor, options: PickleOptions): unknown {
  return new Machine(cursor, options).run()
}

class Machine {
  readonly #cursor: ByteCursor
  readonly #options: PickleOptions
  readonly #values: PickleValues
  #stack: unknown[] = []
  readonly #memo = new Map<number, unknown>()
  readonly #made = new WeakMap<object, PickleGlobal>()

  constructor(cursor: ByteCursor, options: PickleOptions) {
    this.#cursor = cursor
    this.#options = options
    this.#values = new PickleValues(cursor, (reason) => this.#damaged(reason))
  }

  run(): unknown {
    for (;;) {
      const place = this.#cursor.place
      const code = this.#cursor.byte()
      if (code === 0x2e) return this.#pop()
      if (!(this.#literal(code) || this.#container(code) || this.#memory(code) || this.#object(code)))
        throw this.#damaged(`the code ${code} at byte ${place} is unknown`)
    }
  }

  /** What stands for itself, and what surrounds it. */
  #literal(code: number): boolean {
    if (code === 0x80) {
      // PROTO
      if (this.#cursor.byte() > 5) throw this.#damaged('its protocol is newer than 5')
      return true
    }
    if (code === 0x95) {
      // FRAME
      this.#values.length(8)
      return true
    }
    const value = this.#values.literal(code)
    return value !== NO_LITERAL && this.#push(value)
  }

  #container(code: number): boolean {
    switch (code) {
      case 0x28: // MARK
        return this.#push(MARK)
      case 0x30: // POP
        this.#pop()
        return true
      case 0x31: // POP_MARK
        this.#popMark()
        return true
      case 0x32: // DUP
        return this.#push(this.#top())
      case 0x5d: // EMPTY_LIST
      case 0x29: // EMPTY_TUPLE
        return this.#push([])
      case 0x6c: // LIST
      case 0x74: // TUPLE
        return this.#push(this.#popMark())
      case 0x85: // TUPLE1
      case 0x86: // TUPLE2
      case 0x87: // TUPLE3
        return this.#push(Array.from({ length: code - 0x84 }, () => this.#pop()).reverse())
      case 0x61: {
        // APPEND
        const item = this.#pop()
        this.#list().push(item)
        return true
      }
      case 0x65: {
        // APPENDS
        const items = this.#popMark()
        const list = this.#list()
        for (const item of items) list.push(item)
        return true
      }
      case 0x7d: // EMPTY_DICT
        return this.#push(new Map())
      case 0x64: // DICT
        return this.#push(this.#filled(new Map(), this.#popMark()))
      case 0x73: {
        // SETITEM
        const value = this.#pop()
        const key = this.#pop()
        this.#filled(this.#top(), [key, value])
        return true
      }
      case 0x75: {
        // SETITEMS
        const items = this.#popMark()
        this.#filled(this.#top(), items)
        return true
      }
      case 0x8f: // EMPTY_SET
        return this.#push(new Set())
      case 0x90: {
        // ADDITEMS
        const items = this.#popMark()
        const set = this.#top()
        if (!(set instanceof Set)) throw this.#damaged('it adds to something that is no set')
        for (const item of items) set.add(item)
        return true
      }
      case 0x91: // FROZENSET
        return this.#push(new Set(this.#popMark()))
      default:
        return false
    }
  }

  #memory(code: number): boolean {
    const cursor = this.#cursor
    switch (code) {
      case 0x70: // PUT
        return this.#remember(this.#values.textNumber())
      case 0x71: // BINPUT
        return this.#remember(cursor.byte())
      case 0x72: // LONG_BINPUT
        return this.#remember(cursor.view(4).getUint32(0, true))
      case 0x94: // MEMOIZE
        return this.#remember(this.#memo.size)
      case 0x67: // GET
        return this.#recall(this.#values.textNumber())
      case 0x68: // BINGET
        return this.#recall(cursor.byte())
      case 0x6a: // LONG_BINGET
        return this.#recall(cursor.view(4).getUint32(0, true))
      default:
        return false
    }
  }

  /** Names and what is made with them. */
  #object(code: number): boolean {
    const cursor = this.#cursor
    switch (code) {
      case 0x63: // GLOBAL
        return this.#push(this.#options.global(cursor.line(), cursor.line()))
      case 0x93: {
        // STACK_GLOBAL
        const name = this.#pop()
        const module = this.#pop()
        if (typeof name !== 'string' || typeof module !== 'string') throw this.#damaged('a name in it is no text')
        return this.#push(this.#options.global(module, name))
      }
      case 0x52: // REDUCE
      case 0x81: {
        // NEWOBJ
        const args = this.#pop()
        return this.#make(this.#pop(), args)
      }
      case 0x92: {
        // NEWOBJ_EX
        this.#pop()
        const args = this.#pop()
        return this.#make(this.#pop(), args)
      }
      case 0x69: // INST
        return this.#make(this.#options.global(cursor.line(), cursor.line()), this.#popMark())
      case 0x6f: {
        // OBJ
        const [global, ...args] = this.#popMark()
        return this.#make(global, args)
      }
      case 0x62: {
        // BUILD
        const state = this.#pop()
        const object = this.#top()
        if (typeof object === 'object' && object !== null) this.#made.get(object)?.build?.(object, state)
        return true
      }
      case 0x50: // PERSID
        return this.#push(this.#persistent(cursor.line()))
      case 0x51: // BINPERSID
        return this.#push(this.#persistent(this.#pop()))
      default:
        return false
    }
  }

  #make(global: unknown, args: unknown): true {
    if (!isGlobal(global)) throw this.#damaged('it calls something that is not a name')
    if (!Array.isArray(args)) throw this.#damaged(`the arguments of ${global.module}.${global.name} are no tuple`)
    if (global.call === undefined) throw this.#damaged(`it calls ${global.module}.${global.name}`)
    const object = global.call(args)
    if (typeof object === 'object' && object !== null) this.#made.set(object, global)
    return this.#push(object)
  }

  #persistent(id: unknown): unknown {
    if (this.#options.persistent === undefined) throw this.#damaged('it refers to something outside')
    return this.#options.persistent(id)
  }

  #push(value: unknown): true {
    this.#stack.push(value)
    return true
  }

  #pop(): unknown {
    if (this.#stack.length === 0 || this.#stack.at(-1) === MARK) throw this.#damaged('it takes more than it has put')
    return this.#stack.pop()
  }

  #top(): unknown {
    if (this.#stack.length === 0 || this.#stack.at(-1) === MARK) throw this.#damaged('it takes more than it has put')
    return this.#stack.at(-1)
  }

  #popMark(): unknown[] {
    const mark = this.#stack.lastIndexOf(MARK)
    if (mark < 0) throw this.#damaged('the end of a list has no beginning')
    const items = this.#stack.slice(mark + 1)
    this.#stack.length = mark
    return items
  }

  #list(): unknown[] {
    const list = this.#top()
    if (!Array.isArray(list)) throw this.#damaged('it appends to something that is no list')
    return list
  }

  #filled(map: unknown, items: readonly unknown[]): unknown {
    if (!(map instanceof Map)) throw this.#damaged('it sets an item of something that is no dictionary')
    if (items.length % 2 !== 0) throw this.#damaged('a dictionary has a key without a value')
    for (let index = 0; index < items.length; index += 2) map.set(items[index], items[index + 1])
    return map
  }

  #remember(place: number): true {
    this.#memo.set(place, this.#top())
    return true
  }

  #recall(place: number): true {
    if (!this.#memo.has(place)) throw this.#damaged(`it recalls ${place}, which it never kept`)
    return this.#push(this.#memo.get(place))
  }

  #damaged(reason: string): ConvScopeError {
    return new ConvScopeError('damaged', `The pickle in ${this.#options.source} cannot be read: ${reason}.`, {
      remedy: 'Copy, download or save the file again.',
    })
  }
}

function isGlobal(value: unknown): value is PickleGlobal {
  return typeof value === 'object' && value !== null && 'module' in value && 'name' in value
}
