import { useQuery } from "@tanstack/react-query";
import { readTextPart } from "./read-part.ts";

export function useTextPart(address: string) {
  return useQuery({
    queryKey: ["preview", address],
    queryFn: () => readTextPart(address),
    staleTime: 30_000,
  });
}
