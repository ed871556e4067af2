namespace FlannelFast.Control.Subnets.Etcd;

/// <summary>
/// Key names as stock flannel builds them: Go's <c>path.Join</c>, which drops empty elements, collapses slashes and resolves "." and "..".
/// Two hosts must agree on every byte of a key, also where the prefix was typed carelessly.
/// </summary>
internal static class KeyPath
{
    /// <summary>Joins the elements that are not empty by slashes and cleans the result; empty if there are none.</summary>
    internal static string Join(params ReadOnlySpan<string> elements)
    {
        var path = new System.Text.StringBuilder();
        foreach (string element in elements)
        {
            if (element.Length == 0) continue;
            if (path.Length > 0) path.Append('/');
            path.Append(element);
        }
        return path.Length == 0 ? "" : Clean(path.ToString());
    }

    /// <summary>The shortest equivalent path: Go's path.Clean. "." for what is empty.</summary>
    internal static string Clean(string path)
    {
        bool isRooted = path.StartsWith('/');
        List<string> parts = [];
        foreach (string part in path.Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            if (part == ".") continue;
            if (part != "..") parts.Add(part);
            else if (parts.Count > 0 && parts[^1] != "..") parts.RemoveAt(parts.Count - 1);
            else if (!isRooted) parts.Add(part);
        }
        string cleaned = string.Join('/', parts);
        if (isRooted) return "/" + cleaned;
        return cleaned.Length == 0 ? "." : cleaned;
    }
}
