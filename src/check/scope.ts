import type { Decl, FnDecl, LambdaExp, Name, Stmt } from '../syntax/ast.js'
import type { Module, Symbol as Named } from './types.js'

/** Where code stands: of which file, in which function (null for the script). */
export interface Frame {
  readonly module: Module
  readonly fn: FnDecl | null
}

/** The names of one block, and the blocks around it. */
export class Scope {
  readonly names = new Map<string, Named>()
  /** Names of blocks inside this one that have ended, with their binders: for a helpful message. */
  readonly ended = new Map<string, Name>()
  /** Names of a file that is missing: known to exist, and nothing else. */
  readonly absent = new Set<string>()

  constructor(
    readonly parent: Scope | null,
    readonly frame: Frame,
    /** What the block's statements are, to tell "not yet" from "not at all". */
    readonly statements: readonly (Decl | Stmt)[] = [],
    /** Set where nothing may be sampled or weighed: the place, as messages name it. */
    readonly pure: string | undefined = parent?.frame === frame ? parent.pure : undefined,
    /** The lambda that this scope belongs to. */
    readonly lambda: LambdaExp | null = parent?.frame === frame ? parent.lambda : null,
  ) {}

  /** A block inside this one. */
  inner(statements: readonly Stmt[] = []): Scope {
    return new Scope(this, this.frame, statements)
  }

  /** The parameters of a lambda; nothing may be sampled or weighed in its body. */
  ofLambda(lambda: LambdaExp): Scope {
    return new Scope(this, this.frame, [], 'a `=>` function', lambda)
  }

  /** The same names in a place that may not sample or weigh. */
  without(place: string): Scope {
    return new Scope(this, this.frame, [], place)
  }

  find(name: string): Named | undefined {
    for (let scope: Scope | null = this; scope; scope = scope.parent) {
      const symbol = scope.names.get(name)
      if (symbol) return symbol
    }
    return undefined
  }

  isAbsent(name: string): boolean {
    for (let scope: Scope | null = this; scope; scope = scope.parent) if (scope.absent.has(name)) return true
    return false
  }

  /** Every name that is visible here. */
  visible(): string[] {
    const names = new Set<string>()
    for (let scope: Scope | null = this; scope; scope = scope.parent) for (const name of scope.names.keys()) names.add(name)
    return [...names]
  }

  /** This scope and those around it, innermost first. */
  *outward(): Generator<Scope> {
    for (let scope: Scope | null = this; scope; scope = scope.parent) yield scope
  }

  /** Tells the block around that this one is over. */
  end(binders: ReadonlyMap<Named, Name>): void {
    if (!this.parent) return
    for (const [name, binder] of this.ended) this.parent.ended.set(name, binder)
    for (const [name, symbol] of this.names) {
      const binder = binders.get(symbol)
      if (binder) this.parent.ended.set(name, binder)
    }
  }
}
