/**
 * Symbols of an atlas as points: one draw call for all of them, however many.
 *
 * Always true: a symbol is one vertex. deck.gl's own IconLayer draws each icon as an instance, and a machine
 * without a GPU pays some 30 microseconds for each instance (docs/decisions/0008-web.md); points cost it a tenth.
 * A symbol's size is in metres, never under `minPixels`: so it comes into scale as one zooms in.
 */
import { type DefaultProps, Layer, type LayerProps, project32, UNIT, type UpdateParameters } from "@deck.gl/core";
import { Model } from "@luma.gl/engine";
import type { Texture } from "@luma.gl/core";

export interface SymbolLayerProps extends LayerProps {
  /** The atlas, whose cells are squares of `cell` pixels. */
  atlas: HTMLCanvasElement;
  cell: number;
  /** The atlas is a mask for `getColor`; else it has its own colours. */
  mask: boolean;
  minPixels: number;
}

const defaultProps: DefaultProps<SymbolLayerProps> = {
  atlas: { type: "image", value: null as unknown as HTMLCanvasElement, async: true },
  cell: 64,
  mask: true,
  minPixels: 16,
  // Filled in columns (`data.attributes`), or by function of (row, {index}).
  getPosition: { type: "accessor", value: [0, 0] },
  getFrame: { type: "accessor", value: [0, 0] },
  getSize: { type: "accessor", value: 0 },
  getAngle: { type: "accessor", value: 0 },
  getColor: { type: "accessor", value: [255, 255, 255, 255] },
} as DefaultProps<SymbolLayerProps>;

const block = `\
layout(std140) uniform symbolUniforms {
  vec2 atlasPixels;
  float cell;
  float mask;
  float minPixels;
  float maxPixels;
} symbol;
`;
const symbolUniforms = {
  name: "symbol",
  vs: block,
  fs: block,
  uniformTypes: { atlasPixels: "vec2<f32>", cell: "f32", mask: "f32", minPixels: "f32", maxPixels: "f32" },
} as const;

/** What every WebGL 2 implementation in use draws (ALIASED_POINT_SIZE_RANGE is 1 to 1024 or more). */
const LARGEST_POINT_PX = 1023;

const vs = `#version 300 es
#define SHADER_NAME symbol-layer-vertex
in vec3 positions;
in vec3 positions64Low;
in vec2 frames;
in float sizes;
in float angles;
in vec4 colors;
out vec4 vColor;
out vec2 vFrame;
out vec2 vTurn;
void main(void) {
  geometry.worldPosition = positions;
  gl_Position = project_position_to_clipspace(positions, positions64Low, vec3(0.0), geometry.position);
  float pixels = clamp(project_size_to_pixel(sizes, ${UNIT.meters}), symbol.minPixels, symbol.maxPixels);
  float angle = radians(angles);
  vTurn = vec2(cos(angle), sin(angle));
  vFrame = frames;
  vColor = vec4(colors.rgb, colors.a * layer.opacity);
  if (colors.a == 0.0) gl_Position = vec4(2.0, 2.0, 2.0, 1.0);
  // The square of the symbol, turned, fits into a square larger by the root of two.
  gl_PointSize = pixels * 1.41421356 * project.devicePixelRatio;
}
`;
const fs = `#version 300 es
#define SHADER_NAME symbol-layer-fragment
precision highp float;
uniform sampler2D atlas;
in vec4 vColor;
in vec2 vFrame;
in vec2 vTurn;
out vec4 fragColor;
void main(void) {
  vec2 p = (gl_PointCoord * 2.0 - 1.0) * 1.41421356;
  vec2 local = vec2(p.x * vTurn.x + p.y * vTurn.y, p.y * vTurn.x - p.x * vTurn.y);
  if (abs(local.x) >= 1.0 || abs(local.y) >= 1.0) discard;
  vec4 texel = texture(atlas, (vFrame + (local * 0.5 + 0.5) * symbol.cell) / symbol.atlasPixels);
  float alpha = texel.a * vColor.a;
  if (alpha < 0.03) discard;
  fragColor = vec4(mix(texel.rgb, vColor.rgb, symbol.mask), alpha);
}
`;

export default class SymbolLayer extends Layer<SymbolLayerProps> {
  static override layerName = "SymbolLayer";
  static override defaultProps = defaultProps;
  declare state: { model?: Model };

  override getShaders() {
    return super.getShaders({ vs, fs, modules: [project32, symbolUniforms] });
  }

  override initializeState(): void {
    this.getAttributeManager()!.add({
      positions: { size: 3, type: "float64", fp64: this.use64bitPositions(), accessor: "getPosition" },
      frames: { size: 2, accessor: "getFrame" },
      sizes: { size: 1, accessor: "getSize" },
      angles: { size: 1, accessor: "getAngle" },
      colors: { size: 4, type: "unorm8", accessor: "getColor" },
    });
  }

  override updateState(params: UpdateParameters<this>): void {
    super.updateState(params);
    if (params.changeFlags.extensionsChanged) {
      this.state.model?.destroy();
      this.state.model = new Model(this.context.device, {
        ...this.getShaders(),
        id: this.props.id,
        bufferLayout: this.getAttributeManager()!.getBufferLayouts({ isInstanced: false }),
        topology: "point-list",
        isInstanced: false,
        vertexCount: 0,
      });
      this.getAttributeManager()!.invalidateAll();
    }
  }

  override draw(): void {
    const { model } = this.state;
    const texture = this.props.atlas as unknown as Texture | null;
    if (!model || !texture || !("width" in texture)) return;
    model.setVertexCount(this.getNumInstances());
    model.shaderInputs.setProps({
      symbol: {
        atlas: texture,
        atlasPixels: [texture.width, texture.height],
        cell: this.props.cell,
        mask: this.props.mask ? 1 : 0,
        minPixels: this.props.minPixels,
        maxPixels: LARGEST_POINT_PX / 1.41421356 / devicePixelRatio,
      },
    });
    model.draw(this.context.renderPass);
  }
}
