/** What an error says, for a sentence that goes on. */
export function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
