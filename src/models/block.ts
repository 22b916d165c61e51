/** Bytes of addresses that a block reserves at least; addresses take no memory until they are written. */
const leastReserved = 1 << 24
/** How many times its first size a block can grow before it has to move. */
const reservedTimes = 8

/** As the runtime has it; the library types of the compiler's target do not know it yet. */
type ResizableBuffer = ArrayBuffer & { readonly maxByteLength: number; resize(bytes: number): void }
const Resizable = ArrayBuffer as unknown as new (bytes: number, options: { maxByteLength: number }) => ResizableBuffer

/**
 * An array of 32-bit floats that grows and shrinks where it stands: it reserves addresses beyond its end, so what it holds is not
 * copied and never held twice, and pages behind a new end go back to the system. Only when it has grown eightfold does it move.
 */
export class Block {
  #buffer: ResizableBuffer = new Resizable(0, { maxByteLength: 0 })
  #data = new Float32Array(this.#buffer)

  /** The numbers; another object after every `resize`. */
  get data(): Float32Array {
    return this.#data
  }

  /** Changes the number of floats; those that fit stay, new ones are 0. Throws a RangeError when memory is short. */
  resize(count: number): void {
    const bytes = 4 * count
    if (bytes <= this.#buffer.maxByteLength) this.#buffer.resize(bytes)
    else {
      const moved = reserved(bytes)
      new Float32Array(moved).set(this.#data)
      this.#buffer.resize(0)
      this.#buffer = moved
    }
    // A view of fixed length: reads and writes of one that follows its buffer are slower.
    this.#data = new Float32Array(this.#buffer, 0, count)
  }

  /** Gives everything back, addresses too. */
  clear(): void {
    // The pages go now, the addresses when the buffer is collected.
    this.#buffer.resize(0)
    this.#buffer = new Resizable(0, { maxByteLength: 0 })
    this.#data = new Float32Array(this.#buffer)
  }
}

function reserved(bytes: number): ResizableBuffer {
  try {
    return new Resizable(bytes, { maxByteLength: Math.max(leastReserved, reservedTimes * bytes) })
  } catch (thrown) {
    if (!(thrown instanceof RangeError)) throw thrown
    return new Resizable(bytes, { maxByteLength: bytes })
  }
}
