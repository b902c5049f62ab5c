import { SHAPES_MAX, SHAPE_KEYS_MAX } from "./tags.ts";

/** The keys of a record in their order. */
export interface Shape {
  readonly keys: readonly string[];
  /** That the other side knows it by. */
  readonly number: number;
}

/** A key, behind those of the nodes above it. */
interface Node {
  readonly depth: number;
  readonly next: Map<string, Node>;
  shape: Shape | undefined;
}

/**
 * The shapes of the records written so far. Invariant: it holds at most `SHAPES_MAX` shapes of at most `SHAPE_KEYS_MAX` keys, whatever
 * is written.
 */
export class ShapeTree {
  readonly #root = newNode(0);
  #count = 0;
  /** Numbered since the last `keep`. */
  #fresh: Node[] = [];

  /** What the other side knows; otherwise a shape for it to learn, or that no number is left. */
  find(record: object): Shape | { readonly kind: "new" | "odd"; readonly keys: readonly string[] } {
    let node: Node | undefined = this.#root;
    for (const key in record) {
      node = node.next.get(key) ?? this.#grow(node, key);
      if (node === undefined) break;
    }
    if (node?.shape !== undefined) return node.shape;
    const keys = Object.keys(record);
    if (node === undefined || this.#count >= SHAPES_MAX) return { kind: "odd", keys };
    node.shape = { keys, number: this.#count++ };
    this.#fresh.push(node);
    return { kind: "new", keys };
  }

  /** What was numbered since then has reached the other side. */
  keep(): void {
    if (this.#fresh.length > 0) this.#fresh = [];
  }

  /** What was numbered since the last `keep` never reached the other side. */
  forgetFresh(): void {
    for (const node of this.#fresh) node.shape = undefined;
    this.#count -= this.#fresh.length;
    this.#fresh = [];
  }

  /** A record of somebody's words would plant a branch for each of them: where no number is left nothing grows. */
  #grow(node: Node, key: string): Node | undefined {
    if (this.#count >= SHAPES_MAX || node.depth >= SHAPE_KEYS_MAX) return undefined;
    const grown = newNode(node.depth + 1);
    node.next.set(key, grown);
    return grown;
  }
}

function newNode(depth: number): Node {
  return { depth, next: new Map(), shape: undefined };
}
