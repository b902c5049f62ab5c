/** What went wrong, as a sentence that ends in a full stop. */
export function errorSentence(error: unknown): string {
  if (error instanceof TypeError && /fetch|network/i.test(error.message)) {
    return "The server does not answer. Check that it is running.";
  }
  const message = error instanceof Error ? error.message.trim() : String(error);
  if (message === "") return "Something failed without saying why.";
  const first = message.charAt(0).toUpperCase() + message.slice(1);
  return /[.!?]$/.test(first) ? first : `${first}.`;
}
