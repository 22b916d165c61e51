/**
 * AdamW (Loshchilov and Hutter, Decoupled Weight Decay Regularization, ICLR 2019, algorithm 2): with gradient g at step t = 1, 2, ..
 *
 *     m = β₁ m + (1 - β₁) g        v = β₂ v + (1 - β₂) g²
 *     p = p - η λ p - η (m / (1 - β₁ᵗ)) / (sqrt(v / (1 - β₂ᵗ)) + ε)
 *
 * Weight decay does not pass through m and v. η multiplies both terms, as in PyTorch. Gradients whose norm over all parameters together
 * exceeds `clip` are scaled down to it first (Pascanu et al. 2013). Parameters, m and v are kept in 32 bits, a step is computed in 64.
 */
export interface AdamWSettings {
  /** η */
  readonly learningRate: number
  /** β₁, 0.9 when left out. */
  readonly beta1?: number
  /** β₂, 0.999 when left out. */
  readonly beta2?: number
  /** ε, 1e-8 when left out. */
  readonly epsilon?: number
  /** λ, 0.01 when left out. */
  readonly weightDecay?: number
  /** Largest norm of all gradients together; none when left out. */
  readonly clip?: number
}

/** What a later run needs to go on as if it had not stopped, beside the parameters. */
export interface AdamWState {
  /** Steps that were made. */
  readonly steps: number
  /** m by parameter. */
  readonly first: Readonly<Record<string, Float32Array>>
  /** v by parameter. */
  readonly second: Readonly<Record<string, Float32Array>>
}

export type Parameters = Readonly<Record<string, Float32Array>>

export class AdamW {
  #steps: number
  readonly #first: Parameters
  readonly #second: Parameters

  /** The parameters are changed in place by `step`. Throws when `state` belongs to other parameters. */
  constructor(
    readonly parameters: Parameters,
    private readonly settings: AdamWSettings,
    state?: AdamWState,
  ) {
    const { learningRate, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weightDecay = 0.01, clip = Infinity } = settings
    const fits =
      learningRate >= 0 && beta1 >= 0 && beta1 < 1 && beta2 >= 0 && beta2 < 1 && epsilon > 0 && weightDecay >= 0 && clip > 0
    if (!fits) {
      throw new Error('AdamW wants learning rate and weight decay of at least 0, both beta in [0, 1), epsilon and clip above 0')
    }
    this.#steps = state?.steps ?? 0
    const copy = (saved: Parameters | undefined) =>
      Object.fromEntries(
        Object.entries(parameters).map(([name, { length }]) => {
          const kept = saved?.[name]
          if (saved && kept?.length !== length) throw new Error(`the saved state has no ${length} numbers for ${name}`)
          return [name, kept ? kept.slice() : new Float32Array(length)]
        }),
      )
    this.#first = copy(state?.first)
    this.#second = copy(state?.second)
  }

  /** A copy. */
  get state(): AdamWState {
    const copy = (arrays: Parameters) => Object.fromEntries(Object.entries(arrays).map(([name, data]) => [name, data.slice()]))
    return { steps: this.#steps, first: copy(this.#first), second: copy(this.#second) }
  }

  /**
   * One step down the gradients, which have the sizes of the parameters. `learningRate`: for this step. Gives the norm of all gradients before
   * they are clipped. Throws, and changes nothing, when a gradient is missing or not finite.
   */
  step(gradients: Parameters, learningRate = this.settings.learningRate): number {
    const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weightDecay = 0.01, clip = Infinity } = this.settings
    const norm = this.#norm(gradients)
    const scale = norm > clip ? clip / norm : 1
    this.#steps++
    const firstSum = 1 - beta1 ** this.#steps
    const secondSum = 1 - beta2 ** this.#steps
    for (const [name, parameter] of Object.entries(this.parameters)) {
      const [gradient, m, v] = [gradients[name]!, this.#first[name]!, this.#second[name]!]
      for (let i = 0; i < parameter.length; i++) {
        const g = gradient[i]! * scale
        m[i] = beta1 * m[i]! + (1 - beta1) * g
        v[i] = beta2 * v[i]! + (1 - beta2) * g * g
        const change = m[i]! / firstSum / (Math.sqrt(v[i]! / secondSum) + epsilon)
        parameter[i]! -= learningRate * (weightDecay * parameter[i]! + change)
      }
    }
    return norm
  }

  #norm(gradients: Parameters): number {
    let squares = 0
    for (const [name, { length }] of Object.entries(this.parameters)) {
      const gradient = gradients[name]
      if (gradient?.length !== length) throw new Error(`there is no gradient of ${length} numbers for ${name}`)
      for (const value of gradient) squares += value * value
      if (!Number.isFinite(squares)) throw new Error(`the gradient of ${name} holds numbers that are not finite`)
    }
    return Math.sqrt(squares)
  }
}
