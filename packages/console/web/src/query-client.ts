import { MutationCache, QueryCache, QueryClient } from "@tanstack/react-query";
import { ApiError } from "./api/http.ts";
import { SESSION_KEY } from "./session.ts";

/** A session that ended shows itself as a 401 somewhere: asking for it anew brings the sign-in page. */
function onError(error: unknown): void {
  if (!(error instanceof ApiError) || error.status !== 401) return;
  queryClient.setQueryData(SESSION_KEY, null);
}

export const queryClient: QueryClient = new QueryClient({
  queryCache: new QueryCache({ onError }),
  mutationCache: new MutationCache({ onError }),
  defaultOptions: {
    queries: {
      staleTime: 2000,
      // Refusals do not change by asking again; a broken connection may.
      retry: (failures, error) =>
        failures < 2 && !(error instanceof ApiError && error.status > 0 && error.status < 500),
    },
    mutations: { retry: false },
  },
});
