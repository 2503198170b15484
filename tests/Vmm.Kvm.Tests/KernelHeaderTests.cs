using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using System.Reflection.Emit;
using System.Runtime.CompilerServices;
using System.Text;
using Vmm.Kvm.Native;

namespace Vmm.Kvm.Tests;

/// <summary>Compares everything in Vmm.Kvm.Native with the kernel's header, as its C compiler sees it. Nothing is listed by hand.</summary>
public class KernelHeaderTests
{
    private const BindingFlags All = BindingFlags.Static | BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;

    [Fact]
    public void NativeDefinitions_AgainstTheKernelsHeader_AreEqual()
    {
        var expected = new SortedDictionary<string, ulong>(StringComparer.Ordinal);
        foreach (Type type in Structs())
        {
            string c = CName(type);
            expected[$"sizeof({c})"] = (ulong)SizeOf(type);
            if (type.GetCustomAttribute<InlineArrayAttribute>() is null)
            {
                foreach (FieldInfo field in type.GetFields(All).Where(f => !f.IsStatic))
                {
                    expected[$"offsetof({c}, {field.Name})"] = (ulong)OffsetOf(type, field);
                    expected[$"sizeof((({c} *)0)->{field.Name})"] = (ulong)SizeOf(field.FieldType);
                }
            }
        }

        foreach (PropertyInfo request in typeof(KvmIoctl).GetProperties(All))
        {
            expected[request.Name] = (uint)request.GetValue(null)!;
        }

        foreach (FieldInfo constant in typeof(KvmConstants).GetFields(All))
        {
            expected[constant.Name] = Convert.ToUInt64(constant.GetRawConstantValue(), CultureInfo.InvariantCulture);
        }

        foreach (KvmCapability capability in Enum.GetValues<KvmCapability>())
        {
            expected[capability.ToString()] = (ulong)capability;
        }

        SortedDictionary<string, ulong> actual = Compile([.. expected.Keys]);

        actual.Should().Equal(expected);
        expected.Keys.Count(k => k.StartsWith("KVM_", StringComparison.Ordinal)).Should().BeGreaterThan(100);
        expected.Keys.Count(k => k.StartsWith("offsetof", StringComparison.Ordinal)).Should().BeGreaterThan(200);
    }

    private static IEnumerable<Type> Structs() => typeof(KvmIoctl).Assembly.GetTypes()
        .Where(t => t.IsValueType && !t.IsEnum && t.Namespace == typeof(KvmIoctl).Namespace && !t.Name.StartsWith('<'));

    /// <summary>A nested type _x of struct S is the type of the C member S.x.</summary>
    private static string CName(Type type)
        => type.DeclaringType is { } outer ? $"__typeof__((({CName(outer)} *)0)->{type.Name[1..]})" : $"struct {type.Name}";

    private static int SizeOf(Type type)
        => (int)typeof(Unsafe).GetMethod(nameof(Unsafe.SizeOf))!.MakeGenericMethod(type).Invoke(null, null)!;

    private static int OffsetOf(Type type, FieldInfo field)
    {
        var method = new DynamicMethod("offset", typeof(int), [type.MakeByRefType()], typeof(KernelHeaderTests).Module, skipVisibility: true);
        ILGenerator il = method.GetILGenerator();
        il.Emit(OpCodes.Ldarg_0);
        il.Emit(OpCodes.Ldflda, field);
        il.Emit(OpCodes.Ldarg_0);
        il.Emit(OpCodes.Sub);
        il.Emit(OpCodes.Conv_I4);
        il.Emit(OpCodes.Ret);
        object?[] arguments = [Activator.CreateInstance(type)];
        return (int)method.Invoke(null, arguments)!;
    }

    private static SortedDictionary<string, ulong> Compile(string[] expressions)
    {
        if (!File.Exists("/usr/include/linux/kvm.h"))
        {
            Assert.Skip("needs /usr/include/linux/kvm.h (Debian: apt-get install linux-libc-dev)");
        }

        string folder = Directory.CreateTempSubdirectory("vmm-kvm-header").FullName;
        try
        {
            var source = new StringBuilder("#include <stddef.h>\n#include <stdio.h>\n#include <linux/kvm.h>\nint main(void)\n{\n");
            foreach (string expression in expressions)
            {
                source.Append(CultureInfo.InvariantCulture, $"    printf(\"%llu\\n\", (unsigned long long)({expression}));\n");
            }

            File.WriteAllText(Path.Combine(folder, "check.c"), source.Append("    return 0;\n}\n").ToString());
            Run("gcc", ["-o", Path.Combine(folder, "check"), Path.Combine(folder, "check.c")]);
            string[] lines = Run(Path.Combine(folder, "check"), []).Split('\n', StringSplitOptions.RemoveEmptyEntries);
            return new SortedDictionary<string, ulong>(
                expressions.Zip(lines).ToDictionary(p => p.First, p => ulong.Parse(p.Second, CultureInfo.InvariantCulture)), StringComparer.Ordinal);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static string Run(string file, string[] arguments)
    {
        Process process;
        try
        {
            process = Process.Start(new ProcessStartInfo(file, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            Assert.Skip($"needs {file} (Debian: apt-get install gcc)");
            throw;
        }

        using (process)
        {
            Task<string> errors = process.StandardError.ReadToEndAsync();
            string output = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            process.ExitCode.Should().Be(0, errors.Result);
            return output;
        }
    }
}
