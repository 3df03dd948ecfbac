#version 330 core
// A floor whose lines are as fine as the pixels allow; it fades into the paper around.
in vec3 place;

uniform vec3 centre;  // what the camera looks at
uniform float radius;  // where the floor has faded
uniform float spacing;  // of the lines
uniform vec3 floor_colour;  // sRGB, as all colours here
uniform vec3 line_colour;
uniform vec3 shade_colour;
uniform vec3 paper;
uniform float lamp_shadows;
uniform mat4 to_lamp;
uniform sampler2DShadow depths;

out vec4 pixel;

float lines(vec2 at, vec2 fine, float width)
{
    vec2 near = abs(fract(at - 0.5) - 0.5) / fine;
    vec2 line = clamp(0.5 * width + 0.5 - near, 0.0, 1.0) * clamp(1.4 - 2.8 * fine, 0.0, 1.0);
    return max(line.x, line.y);
}

void main()
{
    float away = length(place.xz - centre.xz) / radius;
    float seen = 1.0 - smoothstep(0.25, 1.0, away);
    vec2 at = place.xz / spacing;
    vec2 fine = max(fwidth(at), 1e-5);
    vec3 colour = mix(floor_colour, line_colour, max(0.45 * lines(at, fine, 1.0), lines(0.2 * at, 0.2 * fine, 1.6)));
    if (lamp_shadows > 0.0) {
        vec3 at = (to_lamp * vec4(place, 1.0)).xyz * 0.5 + 0.5;
        if (all(greaterThan(at.xy, vec2(0.01))) && all(lessThan(at.xy, vec2(0.99)))) {
            vec2 texel = 1.6 / vec2(textureSize(depths, 0));
            float lit = 0.0;
            for (int i = -1; i <= 1; i++)
                for (int j = -1; j <= 1; j++)
                    lit += texture(depths, vec3(at.xy + texel * vec2(i, j), at.z));
            colour = mix(colour, shade_colour, lamp_shadows * (1.0 - lit / 9.0));
        }
    }
    pixel = vec4(mix(paper, colour, seen), 1.0);
}
