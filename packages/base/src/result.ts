/** An expected outcome that is not a success (not found, exists, precondition): part of a return type, never thrown. */
export type Result<Value, Refusal> =
  | { readonly kind: "ok"; readonly value: Value }
  | { readonly kind: "refused"; readonly refusal: Refusal };

export function ok<Value>(value: Value): { readonly kind: "ok"; readonly value: Value } {
  return { kind: "ok", value };
}

export function refused<Refusal>(refusal: Refusal): {
  readonly kind: "refused";
  readonly refusal: Refusal;
} {
  return { kind: "refused", refusal };
}
