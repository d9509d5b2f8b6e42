// Stands in for a parser of WebGPU shaders, which luma.gl names but does not call while it draws with WebGL.

export class WgslReflect {
  constructor() {
    throw new Error('WebGPU is not used here');
  }
}
