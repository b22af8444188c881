using System.Globalization;
using System.Text;

namespace Actors.Benchmarks.Measuring;

/// <summary>One line of a chart.</summary>
/// <param name="Name">Stands at its end.</param>
/// <param name="Colour">Of the line.</param>
/// <param name="Points">From left to right; none is 0 or less.</param>
internal sealed record Curve(string Name, string Colour, IReadOnlyList<(double X, double Y)> Points)
{
    /// <summary>For what is not measured, but drawn to compare with.</summary>
    public bool IsDashed { get; init; }
}

/// <summary>
/// Curves on two logarithmic axes, as an SVG that needs nothing else: what grows linearly is a straight line of one
/// slope, wherever it begins.
/// </summary>
internal sealed record Chart(string Title, string XName, string YName, IReadOnlyList<Curve> Curves)
{
    private const int Width = 760;
    private const int Height = 440;
    private const int Left = 70;
    private const int Right = 170;
    private const int Top = 50;
    private const int Bottom = 60;

    public string ToSvg()
    {
        var points = Curves.SelectMany(curve => curve.Points).ToArray();
        var (x, y) = (new Axis(points.Select(point => point.X)), new Axis(points.Select(point => point.Y)));
        var svg = new StringBuilder();
        Add($"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {Width} {Height}">""");
        Add($"""<g font-family="sans-serif" font-size="13">""");
        Add($"""<rect width="{Width}" height="{Height}" fill="#fff"/>""");
        Add($"""<text x="{Left}" y="25" font-size="16">{Title}</text>""");
        foreach (var tick in x.Ticks)
        {
            Add($"""<path d="M{X(tick):0.#} {Top}V{Height - Bottom}" stroke="#ddd"/>""");
            Add($"""<text x="{X(tick):0.#}" y="{Height - Bottom + 20}" text-anchor="middle">{tick:#,0.###}</text>""");
        }

        foreach (var tick in y.Ticks)
        {
            Add($"""<path d="M{Left} {Y(tick):0.#}H{Width - Right}" stroke="#ddd"/>""");
            Add($"""<text x="{Left - 8}" y="{Y(tick) + 4:0.#}" text-anchor="end">{tick:#,0.###}</text>""");
        }

        Add($"""<text x="{(Left + Width - Right) / 2}" y="{Height - 15}" text-anchor="middle">{XName}</text>""");
        Add($"""<text x="{Left}" y="{Top - 8}" text-anchor="end">{YName}</text>""");
        foreach (var curve in Curves) AddCurve(curve);
        return svg.Append("</g></svg>\n").ToString();

        void AddCurve(Curve curve)
        {
            var path = string.Join('L', curve.Points.Select(point => Text($"{X(point.X):0.#} {Y(point.Y):0.#}")));
            var dashes = curve.IsDashed ? " stroke-dasharray=\"5 5\"" : "";
            Add($"""<path d="M{path}" fill="none" stroke="{curve.Colour}" stroke-width="2"{dashes}/>""");
            if (!curve.IsDashed)
            {
                foreach (var point in curve.Points)
                    Add($"""<circle cx="{X(point.X):0.#}" cy="{Y(point.Y):0.#}" r="4" fill="{curve.Colour}"/>""");
            }

            var end = curve.Points[^1];
            // What is measured is named behind its end; what is drawn beside it above its end, out of their way.
            var (right, down, anchor) = curve.IsDashed ? (-8, -4, "end") : (8, 4, "start");
            Add($"""<text x="{X(end.X) + right:0.#}" y="{Y(end.Y) + down:0.#}" text-anchor="{anchor}" """);
            Add($"""fill="{curve.Colour}">{curve.Name}</text>""");
        }

        double X(double value) => Left + x.PlaceOf(value) * (Width - Left - Right);
        double Y(double value) => Height - Bottom - y.PlaceOf(value) * (Height - Top - Bottom);
        void Add(FormattableString text) => svg.Append(Text(text)).Append('\n');
        static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
    }

    /// <summary>A logarithmic axis that holds these values, with lines at 1, 3, 10, 30 and so on.</summary>
    private sealed class Axis
    {
        private readonly double _first;
        private readonly double _last;

        public Axis(IEnumerable<double> values)
        {
            var logarithms = values.Select(Math.Log10).ToArray();
            const double margin = 0.1;
            (_first, _last) = (logarithms.Min() - margin, logarithms.Max() + margin);
        }

        public IEnumerable<double> Ticks =>
            from power in Enumerable.Range((int)Math.Floor(_first), (int)Math.Ceiling(_last - _first) + 2)
            from factor in (double[])[1, 3]
            let tick = factor * Math.Pow(10, power)
            where Math.Log10(tick) >= _first && Math.Log10(tick) <= _last
            select tick;

        /// <summary>From 0 to 1.</summary>
        public double PlaceOf(double value) => (Math.Log10(value) - _first) / (_last - _first);
    }
}
