/** Who asks for what the control plane does by itself. */
export const systemActor = 'system'
