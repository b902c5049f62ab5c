import { Button, FileButton } from "@mantine/core";
import { IconUpload } from "@tabler/icons-react";
import { getRouteApi } from "@tanstack/react-router";
import { PageHeader } from "../../components/page-header.tsx";
import { DropTarget } from "./drop-target.tsx";
import { ObjectDrawer } from "./object-drawer.tsx";
import { ObjectList } from "./object-list.tsx";
import { PrefixPath } from "./prefix-path.tsx";
import { UploadList } from "./upload-list.tsx";
import { useUploads } from "./use-uploads.ts";

const route = getRouteApi("/buckets/$bucket");

/** One bucket, seen as folders: the part of the address up to the last slash is the folder. */
export function ObjectsPage() {
  const { bucket } = route.useParams();
  const { prefix = "", object } = route.useSearch();
  const navigate = route.useNavigate();
  const uploads = useUploads(bucket, prefix);
  return (
    <div className="page" data-testid="objects-page">
      <PageHeader title={<PrefixPath bucket={bucket} prefix={prefix} />}>
        <FileButton
          multiple
          onChange={uploads.add}
          inputProps={{ "aria-label": "Files to upload" }}
        >
          {(props) => (
            <Button {...props} leftSection={<IconUpload size={14} />} data-testid="upload">
              Upload files
            </Button>
          )}
        </FileButton>
      </PageHeader>
      <UploadList uploads={uploads} />
      <DropTarget onFiles={uploads.add}>
        <ObjectList bucket={bucket} prefix={prefix} />
      </DropTarget>
      {object !== undefined && (
        <ObjectDrawer
          bucket={bucket}
          objectKey={object}
          onClose={() => {
            navigate({ search: prefix === "" ? {} : { prefix } }).catch(() => undefined);
          }}
        />
      )}
    </div>
  );
}
