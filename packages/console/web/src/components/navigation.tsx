import { Stack, Text } from "@mantine/core";
import {
  IconArrowsSplit2,
  IconBox,
  IconBucket,
  IconFlask,
  IconKey,
  IconLayoutDashboard,
  IconPlayerPlay,
} from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";

const GROUPS = [
  {
    title: undefined,
    links: [{ to: "/", label: "Overview", Icon: IconLayoutDashboard }],
  },
  {
    title: "Store",
    links: [
      { to: "/buckets", label: "Buckets", Icon: IconBucket },
      { to: "/keys", label: "Access keys", Icon: IconKey },
    ],
  },
  {
    title: "Pipelines",
    links: [
      { to: "/runs", label: "Runs", Icon: IconPlayerPlay },
      { to: "/pipelines", label: "Pipelines", Icon: IconArrowsSplit2 },
      { to: "/experiments", label: "Experiments", Icon: IconFlask },
      { to: "/artifacts", label: "Artifacts", Icon: IconBox },
    ],
  },
] as const;

export function Navigation(props: { readonly onNavigate: () => void }) {
  return (
    <nav aria-label="Pages">
      <Stack gap="sm">
        {GROUPS.map((group) => (
          <Stack gap={2} key={group.title ?? "top"}>
            {group.title !== undefined && (
              <Text size="xs" fw={600} c="dimmed" px={10} pb={2}>
                {group.title}
              </Text>
            )}
            {group.links.map(({ to, label, Icon }) => (
              <Link
                key={to}
                to={to}
                className="nav-link"
                activeOptions={{ exact: to === "/" }}
                onClick={props.onNavigate}
              >
                <Icon size={17} stroke={1.7} aria-hidden />
                {label}
              </Link>
            ))}
          </Stack>
        ))}
      </Stack>
    </nav>
  );
}
