import { Center, Loader } from "@mantine/core";
import type { ReactNode } from "react";
import { ErrorNote } from "./components/error-note.tsx";
import { SignInPage } from "./pages/sign-in/sign-in-page.tsx";
import { useSession } from "./session.ts";

/** Shows the app to those who are let in, and the sign-in page to all others. */
export function SessionGate(props: { readonly children: ReactNode }) {
  const session = useSession();
  if (session.isPending) {
    return (
      <Center h="100dvh">
        <Loader size="sm" aria-label="Loading" />
      </Center>
    );
  }
  if (session.isError) {
    return (
      <Center h="100dvh" p="md">
        <ErrorNote error={session.error} onRetry={() => session.refetch()} />
      </Center>
    );
  }
  return session.data === null ? <SignInPage /> : props.children;
}
