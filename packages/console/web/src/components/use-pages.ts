import { useState } from "react";

export interface PagePosition {
  /** `undefined` on the first page. */
  readonly token: string | undefined;
  readonly canGoBack: boolean;
  readonly back: () => void;
  readonly forward: (token: string) => void;
  /** To the first page: tokens are bound to the filter and order they were made with. */
  readonly reset: () => void;
}

/** Page tokens lead forward only, so those passed on the way are kept to come back. */
export function usePages(): PagePosition {
  const [tokens, setTokens] = useState<readonly string[]>([]);
  return {
    token: tokens.at(-1),
    canGoBack: tokens.length > 0,
    back: () => setTokens(tokens.slice(0, -1)),
    forward: (token) => setTokens([...tokens, token]),
    reset: () => setTokens([]),
  };
}
