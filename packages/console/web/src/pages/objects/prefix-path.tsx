import { Group, Text } from "@mantine/core";
import { PageLink } from "../../components/links.tsx";

/** Where one is in a bucket, each step a link back. */
export function PrefixPath(props: { readonly bucket: string; readonly prefix: string }) {
  const { bucket, prefix } = props;
  const steps = prefix.split("/").filter((_step, index, all) => index < all.length - 1);
  return (
    <Group gap={6} component="nav" aria-label="Folders" wrap="wrap">
      <PageLink to="/buckets">Buckets</PageLink>
      <Separator />
      <PageLink to="/buckets/$bucket" params={{ bucket }} search={{}}>
        {bucket}
      </PageLink>
      {steps.map((step, index) => {
        const path = `${steps.slice(0, index + 1).join("/")}/`;
        return (
          <Group gap={6} key={path} wrap="nowrap">
            <Separator />
            <PageLink to="/buckets/$bucket" params={{ bucket }} search={{ prefix: path }}>
              {step === "" ? "(empty name)" : step}
            </PageLink>
          </Group>
        );
      })}
    </Group>
  );
}

function Separator() {
  return (
    <Text span c="dimmed" fz="inherit" aria-hidden>
      /
    </Text>
  );
}
