import { Button, Menu } from "@mantine/core";
import { IconLogout, IconUser } from "@tabler/icons-react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { signOut } from "../api/store.ts";
import { useSession } from "../session.ts";

const VIA = {
  "local-user": "You are on the server's own machine, so no sign-in is needed",
  token: "Signed in by the console token",
  session: "Signed in by access key",
} as const;

export function AccountMenu() {
  const session = useSession();
  const client = useQueryClient();
  const leave = useMutation({ mutationFn: signOut, onSuccess: () => client.resetQueries() });
  if (session.data === null || session.data === undefined) return null;
  const { principal, via } = session.data;
  return (
    <Menu position="bottom-end" width={240}>
      <Menu.Target>
        <Button
          variant="subtle"
          color="gray"
          leftSection={<IconUser size={16} stroke={1.7} />}
          data-testid="account-menu"
        >
          {principal}
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>{VIA[via]}</Menu.Label>
        {via === "session" && (
          <Menu.Item
            leftSection={<IconLogout size={15} />}
            onClick={() => leave.mutate()}
            data-testid="sign-out"
          >
            Sign out
          </Menu.Item>
        )}
      </Menu.Dropdown>
    </Menu>
  );
}
