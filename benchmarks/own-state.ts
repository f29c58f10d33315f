/** Variables with which commands have a session daemon and a state of their own, below `scratch`. */
export function ownState(scratch: string) {
  return { LC_ALL: 'C', TSCC_DIR: `${scratch}/state`, XDG_RUNTIME_DIR: scratch };
}
