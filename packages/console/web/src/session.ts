import type { SessionMessage } from "@kelp/wire/management";
import { useQuery } from "@tanstack/react-query";
import { fetchSession } from "./api/store.ts";

export const SESSION_KEY = ["session"] as const;

/** Who is signed in; `null` when nobody is. */
export function useSession() {
  return useQuery<SessionMessage | null>({
    queryKey: SESSION_KEY,
    queryFn: fetchSession,
    staleTime: 60_000,
  });
}
