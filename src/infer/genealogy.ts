/** From which slots of the start a population descends. */
export class Genealogy {
  private roots: Int32Array

  constructor(particles: number) {
    this.roots = Int32Array.from({ length: particles }, (_, slot) => slot)
  }

  /** Distinct ancestors at the start of the present population. */
  get distinct(): number {
    return new Set(this.roots).size
  }

  /** Notes one point; `ancestors` is null when nothing was resampled. Returns `distinct`. */
  record(ancestors: Int32Array | null): number {
    if (ancestors) this.roots = ancestors.map((ancestor) => this.roots[ancestor]!)
    return this.distinct
  }
}
