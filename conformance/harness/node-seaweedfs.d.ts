/** What the tests use of a package that comes without types. */
declare module "node-seaweedfs" {
  interface Assigned {
    readonly fid: string;
    readonly count: number;
  }
  class WeedClient {
    constructor(options: { readonly server: string; readonly port: number });
    write(files: readonly string[]): Promise<Assigned>;
    read(fid: string): Promise<Buffer>;
    remove(fid: string): Promise<{ readonly count: number }>;
    find(volume: string): Promise<{ readonly locations: readonly unknown[] }>;
    clusterStatus(): Promise<{ readonly IsLeader: boolean }>;
    systemStatus(): Promise<{
      readonly Topology: { readonly DataCenters: readonly unknown[] };
    }>;
    volumeStatus(host: string): Promise<{ readonly Volumes: readonly unknown[] }>;
  }
  export = WeedClient;
}
