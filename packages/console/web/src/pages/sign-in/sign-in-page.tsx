import {
  Button,
  Center,
  Group,
  Paper,
  PasswordInput,
  Stack,
  Text,
  TextInput,
  Title,
} from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { signIn } from "../../api/store.ts";
import { ErrorNote } from "../../components/error-note.tsx";
import { SESSION_KEY } from "../../session.ts";

export function SignInPage() {
  const client = useQueryClient();
  const [accessKey, setAccessKey] = useState("");
  const [secretKey, setSecretKey] = useState("");
  const enter = useMutation({
    mutationFn: () => signIn({ access_key: accessKey.trim(), secret_key: secretKey.trim() }),
    onSuccess: (session) => client.setQueryData(SESSION_KEY, session),
  });
  return (
    <Center component="main" mih="100dvh" p="md">
      <Paper className="panel" p="xl" w={360}>
        <form
          data-testid="sign-in-form"
          onSubmit={(event) => {
            event.preventDefault();
            enter.mutate();
          }}
        >
          <Stack gap="md">
            <Group gap="sm">
              <img src="/kelp.svg" alt="" width={30} height={30} />
              <Title order={1}>Sign in to Kelp</Title>
            </Group>
            {enter.isError && <ErrorNote error={enter.error} />}
            <TextInput
              label="Access key"
              name="access-key"
              autoComplete="username"
              autoFocus
              required
              value={accessKey}
              onChange={(event) => setAccessKey(event.currentTarget.value)}
              data-testid="sign-in-access-key"
            />
            <PasswordInput
              label="Secret key"
              name="secret-key"
              autoComplete="current-password"
              required
              value={secretKey}
              onChange={(event) => setSecretKey(event.currentTarget.value)}
              data-testid="sign-in-secret-key"
            />
            <Button type="submit" size="sm" loading={enter.isPending} data-testid="sign-in-submit">
              Sign in
            </Button>
            <Text size="xs" c="dimmed">
              The same pair that S3 clients use. The server's first pair is in the file
              credentials.json of its data directory.
            </Text>
          </Stack>
        </form>
      </Paper>
    </Center>
  );
}
