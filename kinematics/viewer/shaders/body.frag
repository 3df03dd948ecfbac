#version 330 core
// Light from the sky and the floor, one lamp, and a bright rim; all in linear colours.
in vec3 place;
in vec3 outward;
in vec3 colour;

uniform vec3 eye;
uniform vec3 lamp;  // unit, towards the lamp
uniform vec3 paper;  // linear
uniform float paleness;  // share of the paper in the colour
uniform float height;  // of the body
uniform float lamp_shadows;
uniform mat4 to_lamp;
uniform sampler2DShadow depths;

out vec4 pixel;

void main()
{
    vec3 n = normalize(outward);
    vec3 v = normalize(eye - place);
    float lit = 1.0;
    if (lamp_shadows > 0.0) {
        vec3 at = (to_lamp * vec4(place + 0.006 * height * n, 1.0)).xyz * 0.5 + 0.5;
        vec2 texel = 2.2 / vec2(textureSize(depths, 0));
        lit = 0.0;
        for (int i = -1; i <= 1; i++)
            for (int j = -1; j <= 1; j++)
                lit += texture(depths, vec3(at.xy + texel * vec2(i, j), at.z)) / 9.0;
        lit = mix(0.3, 1.0, lit);  // the floor and the sky's haze lighten shadows on a body
    }
    float key = max(dot(n, lamp), 0.0) * lit;
    vec3 sky = mix(vec3(0.30, 0.29, 0.28), vec3(0.62, 0.64, 0.68), 0.5 + 0.5 * n.y);
    sky *= mix(0.72, 1.0, smoothstep(-0.02, 0.22, place.y / height + 0.1 * n.y));  // near the floor less sky is seen
    vec3 base = pow(colour, vec3(2.2));
    float gloss = pow(max(dot(n, normalize(lamp + v)), 0.0), 36.0) * lit;
    float rim = pow(1.0 - max(dot(n, v), 0.0), 4.0);
    vec3 light = base * (sky + vec3(0.72, 0.70, 0.66) * key + 0.08 * max(dot(n, v), 0.0)) + 0.07 * gloss + 0.05 * rim;
    light = mix(light, paper, paleness);
    pixel = vec4(pow(light, vec3(1.0 / 2.2)), 1.0);
}
